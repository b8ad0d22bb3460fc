"""What an approval says, as lines, in the order in which a person should read it.

Owns: the order and wording of the facts, the record of an outcome, the signed texts for inspection.
Never: cuts a fact; a long one wraps. Never: puts the agent's words before the facts or unmarked.
"""

import json
from dataclasses import dataclass
from datetime import tzinfo

from rich.cells import cell_len

from approver_tui.state.approvals import Approval, ApprovalState, Decided, Fact, Kind
from approver_tui.state.decision import Answer
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.lines import (
    BLANK,
    Line,
    Piece,
    Role,
    labelled,
    line,
    risk_role,
    say,
    wrap,
    wrapped,
)
from approver_tui.widgets.times import clock, remaining_in_words

_WIDE_COLUMN = 13
_NARROW_COLUMN = 12
_NARROW = 50
_RAW_LENGTH = 20_000
_RAW_LINES = 2_000
_SIGNED_MEMBERS = 2
_USED = {
    Kind.ACTION: " The token was collected.",
    Kind.CONSENT: " The consent is in force.",
    Kind.DEVICE: " The device has signed in.",
    Kind.APP_DEVICE: " The app has signed in.",
    Kind.APP_ACTION: " The token was collected.",
}
"""What came of a yes, once it was used."""


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """From where an approval is looked at: the server's time, the person's zone, the width."""

    now: int
    zone: tzinfo | None
    width: int

    @property
    def column(self) -> int:
        """Where values begin."""
        return _NARROW_COLUMN if self.width < _NARROW else _WIDE_COLUMN


def approval_lines(approval: Approval, view: Viewpoint) -> list[Line]:
    """Return everything a person sees before they answer."""
    return [
        *record_lines(approval, view),
        *_risk(approval, view),
        *wrapped(approval.headline, view.width, Role.STRONG),
        BLANK,
        *material_lines(approval, view),
        *_unusual(approval, view),
        *_other_facts(approval, view),
        *_rights(approval, view),
        *_undo(approval, view),
        BLANK,
        *_asker(approval, view),
        *_agent_says(approval, view),
        BLANK,
        *_consequences(approval, view),
    ]


def panel_lines(approval: Approval, view: Viewpoint) -> list[Line]:
    """Return what a person must have seen before they can approve."""
    display = approval.display
    return [
        *wrapped(_about_to(approval), view.width),
        BLANK,
        *wrapped(approval.headline, view.width, Role.STRONG),
        *_risk_reason(approval, view),
        BLANK,
        *material_lines(approval, view),
        *_unusual(approval, view),
        *_undo(approval, view),
        *_row("Gives", display.gives, view),
        *_row("Fingerprint", SafeText(approval.fingerprint), view),
    ]


def material_lines(approval: Approval, view: Viewpoint) -> list[Line]:
    """Return the material facts, whole."""
    return _facts([fact for fact in approval.display.facts if fact.material], view, Role.STRONG)


def record_lines(approval: Approval, view: Viewpoint) -> list[Line]:
    """Return what became of the approval; nothing while it can be answered."""
    text = outcome(approval, view.now, view.zone)
    if not text:
        return []
    note = approval.decided.note if approval.decided else None
    quoted = _quoted(note, view) if note else []
    return [*wrapped(text, view.width, Role.ALERT), *quoted, BLANK]


def outcome(approval: Approval, now: int, zone: tzinfo | None) -> SafeText:
    """Return one sentence on how it ended, or nothing while it is open."""
    agent, at = approval.agent.name, approval.expires_at
    if approval.is_taken_back:
        return say("No longer needed: {} took this request back.", agent)
    if approval.decided is not None:
        return _answered(approval, approval.decided, now, zone)
    if approval.state is ApprovalState.PENDING and now < at:
        return SafeText("")
    if approval.state in {ApprovalState.PENDING, ApprovalState.EXPIRED}:
        again = say(" {} can ask again.", agent) if _is_action(approval) else SafeText("")
        return say("Expired at {}. Not a denial.{}", clock(at, now, zone), again)
    because = say(": {}", approval.reason) if approval.reason else SafeText("")
    return say("This request is {}{}. Nobody answered it.", SafeText(approval.state.value), because)


def raw_lines(approval: Approval, view: Viewpoint) -> list[Line]:
    """Return the two signed texts, set out to be read; what they hold is escaped, not hidden."""
    return [
        *wrapped(say("The two texts that a decision signs. v goes back."), view.width, Role.DIM),
        BLANK,
        *_signed("Action", approval.action_text, approval.action_digest, view),
        BLANK,
        *_signed("Display", approval.display_text, approval.display_digest, view),
    ]


def _about_to(approval: Approval) -> SafeText:
    name = approval.agent.name
    if approval.kind is Kind.CONSENT:
        return say("You are about to let {} act for you without asking:", name)
    if approval.kind is Kind.DEVICE:
        return say("You are about to let another device sign in as you:")
    if approval.kind is Kind.APP_DEVICE:
        return say("You are about to let {} on another device act as you:", name)
    if approval.kind is Kind.APP_ACTION:
        return say("You are about to let the app {} do this once:", name)
    return say("You are about to let {} do this once:", name)


def _risk(approval: Approval, view: Viewpoint) -> list[Line]:
    word = say("{} RISK", SafeText(approval.risk.value.upper()))
    reason = approval.display.risk_reason
    if cell_len(word) + 2 + cell_len(reason) <= view.width:
        return [(Piece(word, risk_role(approval.risk)), Piece(say("  {}", reason)))]
    return [line(word, risk_role(approval.risk)), *wrapped(reason, view.width)]


def _risk_reason(approval: Approval, view: Viewpoint) -> list[Line]:
    return wrapped(approval.display.risk_reason, view.width) if approval.display.risk_reason else []


def _other_facts(approval: Approval, view: Viewpoint) -> list[Line]:
    return _facts([fact for fact in approval.display.facts if not fact.material], view, Role.PLAIN)


def _facts(facts: list[Fact], view: Viewpoint, role: Role) -> list[Line]:
    return [
        row
        for fact in facts
        for row in labelled(fact.label, fact.value, view.width, view.column, role)
    ]


def _rights(approval: Approval, view: Viewpoint) -> list[Line]:
    """What an agent or app would get once; the other kinds have it among their facts."""
    if not approval.is_action:
        return []
    scopes = SafeText(
        ", ".join(
            say("{} ({})", scope.name, SafeText(scope.risk.value))
            for scope in approval.display.scopes
        )
    )
    rights = _row("Rights", scopes, view) if scopes else []
    return [*rights, *_row("At", approval.display.resource, view)]


def _unusual(approval: Approval, view: Viewpoint) -> list[Line]:
    """What the server found by its own history; that it found nothing is said too."""
    found = approval.display.unusual
    if found is None:
        return []
    if not found:
        return _row("Unusual", say("Nothing unusual."), view)
    labels = ["Unusual", *[""] * (len(found) - 1)]
    return [
        row
        for label, oddity in zip(labels, found, strict=True)
        for row in _row(label, oddity.text, view, Role.ALERT)
    ]


def _undo(approval: Approval, view: Viewpoint) -> list[Line]:
    unknown = say("We do not know if this can be undone.")
    return _row("Undo", approval.display.undo or unknown, view)


def _asker(approval: Approval, view: Viewpoint) -> list[Line]:
    agent = approval.agent
    owners = SafeText(", ".join(agent.owners)) or say("nobody")
    asked = say(
        "from {} at {}",
        approval.display.asked_from,
        clock(approval.display.asked_at, view.now, view.zone),
    )
    is_action = _is_action(approval)
    role = "App" if approval.kind is Kind.APP_ACTION else "Agent"
    name = say("This agent") if is_action else agent.name
    first = say("{} never asked you before.", name)
    return [
        *(_row(role, agent.name, view) if approval.is_action else []),
        *(_row("", first, view, Role.ALERT) if agent.first_request else []),
        *(_row("Owner", owners, view) if is_action else []),
        *_row("Asked", asked, view),
        *_row("Why you", approval.display.why, view),
    ]


def _is_action(approval: Approval) -> bool:
    return approval.kind is Kind.ACTION


def _agent_says(approval: Approval, view: Viewpoint) -> list[Line]:
    if approval.agent_says is None:
        return []
    return [
        BLANK,
        line(say("Agent says, not verified:"), Role.LABEL),
        *_quoted(approval.agent_says, view),
    ]


def _quoted(words: SafeText, view: Viewpoint) -> list[Line]:
    """Behind a bar on every row, so that no part of it can pass for one of our own lines."""
    bar = Piece(say("| "), Role.DIM)
    flat = say('"{}"', SafeText(words.replace("\n", " ")))
    return [(bar, Piece(row, Role.QUOTE)) for row in wrap(flat, view.width - 2)]


def _consequences(approval: Approval, view: Viewpoint) -> list[Line]:
    when = clock(approval.expires_at, view.now, view.zone)
    left = remaining_in_words(approval.expires_at, view.now)
    lapse = say("{}, {}. Lapsing is not a no.", when, left)
    log = say("  the agent's log shows the same code")
    same = say("{}{}", SafeText(approval.fingerprint), log if _is_action(approval) else say(""))
    expires = _row("Expires", lapse, view) if approval.is_waiting(view.now) else []
    return [
        *_row("If approved", approval.display.gives, view),
        *expires,
        *_row("Fingerprint", same, view),
    ]


def _row(label: str, value: SafeText, view: Viewpoint, role: Role = Role.PLAIN) -> list[Line]:
    return labelled(SafeText(label), value, view.width, view.column, role)


def _answered(approval: Approval, decided: Decided, now: int, zone: tzinfo | None) -> SafeText:
    word = say("Approved") if decided.decision is Answer.APPROVE else say("Denied")
    code = say(" Reason: {}.", SafeText(decided.code.label)) if decided.code else SafeText("")
    used = _USED[approval.kind] if approval.state is ApprovalState.REDEEMED else ""
    where = say("{} by {} on {}", word, decided.by_name, decided.device_name)
    return say("{} at {}.{}{}", where, clock(decided.at, now, zone), code, SafeText(used))


def _signed(name: str, text: str, digest: str, view: Viewpoint) -> list[Line]:
    safe = display_safe(_set_out(text), max_len=_RAW_LENGTH, max_lines=_RAW_LINES)
    return [
        line(say("{} text", SafeText(name)), Role.HEADING),
        *wrapped(say("SHA-256 {}", SafeText(digest)), view.width, Role.DIM),
        *wrapped(safe, view.width),
    ]


def _set_out(text: str) -> str:
    """One member per line; the text was parsed once already, when it came in."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=_SIGNED_MEMBERS)
