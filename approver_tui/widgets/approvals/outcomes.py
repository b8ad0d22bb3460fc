"""The outcome of a request, as lines and as one sentence.

Owns: the wording of every outcome, quoting other people's words, the render context. Never: what
was requested, which is in `facts.py`.
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
from approver_tui.widgets.lines import BLANK, Line, Piece, Role, fmt, labeled, wrap, wrap_text
from approver_tui.widgets.times import clock

_WIDE_COLUMN = 13
_NARROW_COLUMN = 12
_NARROW_WIDTH = 50
_USE_TEXTS = {
    Kind.ACTION: " The agent collected its token.",
    Kind.CONSENT: " The consent is active.",
    Kind.DEVICE: " The device has signed in.",
    Kind.APP_DEVICE: " The app has signed in.",
    Kind.APP_ACTION: " The app collected its token.",
    Kind.STANDING_GRANT: " The standing grant is active.",
}
"""The text for an approval that was used, by kind."""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What drawing depends on: time, time zone, width, keys and the program's name."""

    now: int
    zone: tzinfo | None
    width: int
    keys: Keymap = DEFAULT_KEYMAP
    program: SafeText = SafeText("sayso-approver")  # noqa: RUF009  # SafeText is immutable
    """The program's name in suggested commands."""

    @property
    def column(self) -> int:
        """The column where values start."""
        return _NARROW_COLUMN if self.width < _NARROW_WIDTH else _WIDE_COLUMN

    def row(self, label: str, value: SafeText | None, role: Role = Role.PLAIN) -> list[Line]:
        """Return the lines of a label and its value; none if the value is None."""
        if value is None:
            return []
        return labeled(SafeText(label), value, self.width, self.column, role)

    def clock(self, at: int) -> SafeText:
        """Return a time of day, with the date if it is not today."""
        return clock(at, self.now, self.zone)


def outcome_lines(approval: Approval, context: RenderContext) -> list[Line]:
    """Return the lines of the outcome; none while the approval can be answered."""
    text = outcome(approval, context.now, context.zone)
    if not text:
        return []
    note = approval.decision.note if approval.decision else None
    note_lines = quote_lines(note, context) if note else []
    execution_lines = _execution_lines(approval.execution, context) if approval.execution else []
    return [*wrap_text(text, context.width, Role.ALERT), *note_lines, *execution_lines, BLANK]


def _execution_lines(execution: Execution, context: RenderContext) -> list[Line]:
    """Return the outcome at the resource, with the resource's own words if any."""
    sentence = fmt("{} {}.", SafeText(execution.progress_text), context.clock(execution.at))
    lines = wrap_text(sentence, context.width, Role.ALERT)
    if execution.as_granted is False:
        alarm = fmt("ALARM: the resource did something other than what was granted.")
        lines = [*lines, *wrap_text(alarm, context.width, Role.ALERT)]
    return [*lines, *(quote_lines(execution.text, context) if execution.text else [])]


def outcome(approval: Approval, now: int, zone: tzinfo | None) -> SafeText:
    """Return how the request ended; empty while it can be answered."""
    at = approval.expires_at
    if approval.decision is not None:
        return _answered_text(approval, approval.decision, now, zone)
    if approval.automatic_decision is not None:
        later = fmt("{}{}", _use_text(approval), _end_after_answer(approval))
        return fmt("Approved under a {}.{}", approval.automatic_decision.kind_text, later)
    if approval.is_withdrawn:
        return fmt("Withdrawn: {} no longer needs this.", approval.agent.name)
    if approval.state is ApprovalState.PENDING and now < at:
        return SafeText("")
    if approval.state in {ApprovalState.PENDING, ApprovalState.EXPIRED}:
        retry_sentence = (
            fmt(" {}", _retry_sentence(approval)) if approval.kind is Kind.ACTION else SafeText("")
        )
        end_reason = END_REASONS.get(approval.reason or "")
        reason_text = SafeText("") if end_reason is None else fmt(" {}", end_reason)
        return fmt(
            "Expired at {}. Not a denial.{}{}", clock(at, now, zone), reason_text, retry_sentence
        )
    return _unanswered_text(approval)


def retry_text(agent: SafeText) -> SafeText:
    """Return a message saying that the agent was asked to retry."""
    return fmt("{} was asked to retry.", agent)


def _retry_sentence(approval: Approval) -> SafeText:
    agent = approval.agent.name
    if approval.retry is Retry.ASKED:
        return retry_text(agent)
    return fmt("{} can ask again.", agent)


def _unanswered_text(approval: Approval) -> SafeText:
    """Return how the request ended unanswered, in our words or the given reason."""
    verdict = SafeText(approval.verdict_text.capitalize())
    if approval.was_locked:
        return fmt("{}. Too many wrong entries. Nothing was approved.", verdict)
    if (end_reason := END_REASONS.get(approval.reason or "")) is not None:
        return fmt("{}. {}", verdict, end_reason)
    reason = fmt(": {}", approval.reason) if approval.reason else SafeText("")
    tally = approval.vote_tally
    if tally is not None and tally.have:
        return fmt("{}{}. {} approved it.", verdict, reason, tally.progress)
    return fmt("{}{}. Nobody answered it.", verdict, reason)


def _answered_text(approval: Approval, decided: Decided, now: int, zone: tzinfo | None) -> SafeText:
    verb = fmt("Approved") if decided.decision is Answer.APPROVE else fmt("Denied")
    code = fmt(" Reason: {}.", SafeText(decided.code.label)) if decided.code else SafeText("")
    decision = fmt("{} by {} on {}", verb, decided.by_name, decided.device_name)
    later = fmt("{}{}", _use_text(approval), _end_after_answer(approval))
    return fmt("{} at {}.{}{}", decision, clock(decided.at, now, zone), code, later)


def _end_after_answer(approval: Approval) -> SafeText:
    """Return how the request ended after its answer, if it expired or was withdrawn."""
    if approval.state is ApprovalState.EXPIRED:
        return fmt(" The agent did not collect its token in time.")
    if approval.state is not ApprovalState.CANCELLED:
        return SafeText("")
    reason = END_REASONS.get(approval.reason or "") or approval.reason
    end = fmt(" It was then withdrawn before being used.")
    return fmt("{} {}", end, reason) if reason else end


def _use_text(approval: Approval) -> SafeText:
    use_sentence = _USE_TEXTS[approval.kind] if approval.state is ApprovalState.REDEEMED else ""
    return SafeText(use_sentence)


def quote_lines(words: SafeText, context: RenderContext) -> list[Line]:
    """Return text with a bar at the start of every row, so that it cannot look like ours."""
    bar = Piece(fmt("| "), Role.DIM)
    flat = fmt('"{}"', SafeText(words.replace("\n", " ")))
    return [(bar, Piece(row, Role.QUOTE)) for row in wrap(flat, context.width - 2)]
