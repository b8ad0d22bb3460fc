"""The outcome of a request, as lines and as one sentence.

Owns: the words for every outcome, the quoting of other people's words, the render context. Never:
what was asked; `facts.py` has that.
"""

from dataclasses import dataclass
from datetime import tzinfo

from approver_tui.state.approvals.approvals import (
    Approval,
    ApprovalState,
    Decided,
    Execution,
    Kind,
    Retry,
)
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.endings import END_REASONS
from approver_tui.state.keymap import DEFAULT_KEYMAP, Keymap
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import BLANK, Line, Piece, Role, fmt, labelled, wrap, wrapped
from approver_tui.widgets.times import clock

_WIDE_COLUMN = 13
_NARROW_COLUMN = 12
_NARROW = 50
_USE_TEXTS = {
    Kind.ACTION: " The token was collected.",
    Kind.CONSENT: " The consent is in force.",
    Kind.DEVICE: " The device has signed in.",
    Kind.APP_DEVICE: " The app has signed in.",
    Kind.APP_ACTION: " The token was collected.",
    Kind.STANDING_GRANT: " The standing grant is in force.",
}
"""The outcome of an approval that was used."""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """The inputs of drawing: the server's time, the user's time zone, the width, the keys."""

    now: int
    zone: tzinfo | None
    width: int
    keys: Keymap = DEFAULT_KEYMAP

    @property
    def column(self) -> int:
        """The column where values start."""
        return _NARROW_COLUMN if self.width < _NARROW else _WIDE_COLUMN

    def row(self, label: str, value: SafeText, role: Role = Role.PLAIN) -> list[Line]:
        """Return a label and its value."""
        return labelled(SafeText(label), value, self.width, self.column, role)

    def clock(self, at: int) -> SafeText:
        """Return a time of day, with the date if it is not today."""
        return clock(at, self.now, self.zone)


def outcome_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the outcome of the approval; nothing while it can be answered."""
    text = outcome(approval, view.now, view.zone)
    if not text:
        return []
    note = approval.decided.note if approval.decided else None
    words = quoted(note, view) if note else []
    done = _execution(approval.execution, view) if approval.execution else []
    return [*wrapped(text, view.width, Role.ALERT), *words, *done, BLANK]


def _execution(execution: Execution, view: RenderContext) -> list[Line]:
    """The outcome at the resource, possibly in its own words."""
    sentence = fmt("{} {}.", SafeText(execution.progress_text), view.clock(execution.at))
    lines = wrapped(sentence, view.width, Role.ALERT)
    if execution.as_granted is False:
        alarm = fmt("ALARM: the resource did something other than what was granted.")
        lines = [*lines, *wrapped(alarm, view.width, Role.ALERT)]
    return [*lines, *(quoted(execution.text, view) if execution.text else [])]


def outcome(approval: Approval, now: int, zone: tzinfo | None) -> SafeText:
    """Return one sentence on how it ended, or an empty text while it is open."""
    agent, at = approval.agent.name, approval.expires_at
    if approval.is_withdrawn:
        return fmt("Withdrawn: {} no longer needs this.", agent)
    if approval.decided is not None:
        return _answered_text(approval, approval.decided, now, zone)
    if approval.automatic_decision is not None:
        by, after = (
            approval.automatic_decision.by,
            fmt("{}{}", _use_text(approval), _later_end(approval)),
        )
        return fmt("Approved without asking you, by your {}.{}", by, after)
    if approval.state is ApprovalState.PENDING and now < at:
        return SafeText("")
    if approval.state in {ApprovalState.PENDING, ApprovalState.EXPIRED}:
        again = (
            fmt(" {}", _retry_sentence(approval)) if approval.kind is Kind.ACTION else SafeText("")
        )
        safe_text = END_REASONS.get(approval.reason or "")
        why = SafeText("") if safe_text is None else fmt(" {}", safe_text)
        return fmt("Expired at {}. Not a denial.{}{}", clock(at, now, zone), why, again)
    return _unanswered_text(approval)


def retry_text(agent: SafeText) -> SafeText:
    """Return that the agent was asked to retry, and what it did."""
    return fmt("{} is asked to retry.", agent)


def _retry_sentence(approval: Approval) -> SafeText:
    agent = approval.agent.name
    if approval.retry is Retry.ASKED:
        return retry_text(agent)
    return fmt("{} can ask again.", agent)


def _unanswered_text(approval: Approval) -> SafeText:
    """Return how it ended without an answer, in our words or in those of the user who ended it."""
    state = SafeText(approval.state.value)
    if approval.was_superseded:
        return END_REASONS["superseded"]
    if approval.was_locked:
        return fmt("Locked: too many wrong entries. Nothing was approved.")
    if (safe_text := END_REASONS.get(approval.reason or "")) is not None:
        return fmt("This request is {}. {}", state, safe_text)
    because = fmt(": {}", approval.reason) if approval.reason else SafeText("")
    return fmt("This request is {}{}. Nobody answered it.", state, because)


def _answered_text(approval: Approval, decided: Decided, now: int, zone: tzinfo | None) -> SafeText:
    word = fmt("Approved") if decided.decision is Answer.APPROVE else fmt("Denied")
    code = fmt(" Reason: {}.", SafeText(decided.code.label)) if decided.code else SafeText("")
    where = fmt("{} by {} on {}", word, decided.by_name, decided.device_name)
    after = fmt("{}{}", _use_text(approval), _later_end(approval))
    return fmt("{} at {}.{}{}", where, clock(decided.at, now, zone), code, after)


def _later_end(approval: Approval) -> SafeText:
    """How it ended after the answer, for another reason."""
    if approval.state not in {ApprovalState.EXPIRED, ApprovalState.CANCELLED}:
        return SafeText("")
    why = END_REASONS.get(approval.reason or "") or approval.reason
    state = SafeText(approval.state.value)
    return fmt(" Then {}. {}", state, why) if why else fmt(" Then {}.", state)


def _use_text(approval: Approval) -> SafeText:
    use_sentence = _USE_TEXTS[approval.kind] if approval.state is ApprovalState.REDEEMED else ""
    return SafeText(use_sentence)


def quoted(words: SafeText, view: RenderContext) -> list[Line]:
    """Return words behind a bar on every row, so that they cannot look like text of the app."""
    bar = Piece(fmt("| "), Role.DIM)
    flat = fmt('"{}"', SafeText(words.replace("\n", " ")))
    return [(bar, Piece(row, Role.QUOTE)) for row in wrap(flat, view.width - 2)]
