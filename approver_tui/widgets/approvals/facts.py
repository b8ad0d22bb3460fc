"""The details of an approval as lines, in reading order.

Owns: their order and wording, the display of the signed texts. Never: cutting a fact; showing
the agent's words before the facts, or unmarked.
"""

import json
from collections.abc import Mapping
from typing import LiteralString

from rich.cells import cell_len

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.approvals.countdown import countdown_stage
from approver_tui.state.approvals.narrowing import Place
from approver_tui.state.approvals.type_back import hide_typed_fact
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.differences import difference_lines
from approver_tui.widgets.approvals.outcomes import RenderContext, outcome_lines, quote_lines
from approver_tui.widgets.lines import BLANK, Line, Piece, Role, fmt, labeled, line, wrap_text
from approver_tui.widgets.times import remaining_in_words

_RAW_LENGTH = 20_000
_RAW_LINES = 2_000
_JSON_INDENT = 2
_INTRODUCTIONS: Mapping[Kind, LiteralString] = {
    Kind.CONSENT: "You are about to let {} act for you without asking:",
    Kind.STANDING_GRANT: "You are about to let {} do this again without asking:",
    Kind.DEVICE: "You are about to let a new device sign in as you:",
    Kind.APP_DEVICE: "You are about to let {} on a different device act as you:",
    Kind.APP_ACTION: "You are about to let the app {} do this once:",
}
"""The first sentence of the approve panel for requests that no agent made."""


def approval_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the details that the inbox shows before the user answers."""
    return [
        *outcome_lines(approval, view),
        *_lock_lines(approval, view),
        *_risk_lines(approval, view),
        *wrap_text(approval.outcome_headline, view.width, Role.STRONG),
        BLANK,
        *granted_lines(approval, view),
        *fact_lines(approval, view, are_material=True),
        *_unusual_lines(approval, view),
        *fact_lines(approval, view, are_material=False),
        *_scope_lines(approval, view),
        *_undo_lines(approval, view),
        BLANK,
        *_agent_lines(approval, view),
        *_agent_message_lines(approval, view),
        BLANK,
        *_consequence_lines(approval, view),
    ]


def panel_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return what the user must see before approving, with the type-back fact hidden."""
    approval = hide_typed_fact(approval)
    return [
        *wrap_text(_introduction_text(approval), view.width),
        BLANK,
        *wrap_text(approval.granted_headline, view.width, Role.STRONG),
        *(wrap_text(reason, view.width) if (reason := approval.display.risk_reason) else []),
        *_vote_position_lines(approval, view),
        BLANK,
        *granted_lines(approval, view),
        *_user_rows(approval, view),
        *fact_lines(approval, view, are_material=True),
        *_unusual_lines(approval, view),
        *_undo_lines(approval, view),
        *view.row("Grants", _grants_text(approval)),
        *view.row("Fingerprint", SafeText(approval.fingerprint)),
    ]


def _lock_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Say that the user can no longer approve this request."""
    if not approval.is_locked or not approval.is_waiting(view.now):
        return []
    words = fmt(
        "LOCKED for you: too many wrong entries. You can still deny it, and others can decide it."
    )
    return [*wrap_text(words, view.width, Role.ALERT), BLANK]


def granted_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return requested and granted values side by side, if the request was narrowed."""
    if approval.granted is None:
        return []
    heading = line(fmt("WITH LIMITS"), Role.HEADING)
    rows = difference_lines(approval.granted.differences, view.width)
    return [heading, *rows, *_signed_limit_lines(approval, view), BLANK]


def raw_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the two signed texts, formatted; special characters are escaped."""
    key = view.keys.key("details")
    return [
        *wrap_text(fmt("The two signed texts. Press {} to go back.", key), view.width, Role.DIM),
        BLANK,
        *_signed_text_lines("Action", approval.action_text, approval.action_digest, view),
        BLANK,
        *_signed_text_lines("Display", approval.display_text, approval.display_digest, view),
    ]


def _grants_text(approval: Approval) -> SafeText:
    """Return the access that approving grants; for a narrowed request, part of it."""
    gives = approval.display.gives
    return gives if approval.granted is None else fmt("Part of: {}", gives)


def _introduction_text(approval: Approval) -> SafeText:
    if introduction := _INTRODUCTIONS.get(approval.kind):
        return fmt(introduction, approval.agent.name)
    part = fmt("this") if approval.granted is None else fmt("part of this")
    return fmt("You are about to let {} do {} once:", approval.agent.name, part)


def _risk_lines(approval: Approval, view: RenderContext) -> list[Line]:
    risk_label = fmt("{} RISK", SafeText(approval.risk.value.upper()))
    reason = approval.display.risk_reason
    if not reason:
        return [line(risk_label, Role(approval.risk.value))]
    if cell_len(risk_label) + 2 + cell_len(reason) <= view.width:
        return [(Piece(risk_label, Role(approval.risk.value)), Piece(fmt("  {}", reason)))]
    return [line(risk_label, Role(approval.risk.value)), *wrap_text(reason, view.width)]


def fact_lines(approval: Approval, view: RenderContext, *, are_material: bool) -> list[Line]:
    """Return the material facts in full, or all other facts."""
    role = Role.STRONG if are_material else Role.PLAIN
    return [
        row
        for fact in approval.display.facts
        if fact.material == are_material
        for row in labeled(fact.label, fact.value, view.width, view.column, role)
    ]


def _scope_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the scopes and the resource of an action; other kinds list them as facts."""
    if not approval.is_action:
        return []
    scopes = SafeText(
        ", ".join(
            fmt("{} ({})", scope.name, SafeText(scope.risk.value))
            for scope in approval.display.scopes
        )
    )
    resource_rows = view.row("Resource", approval.display.resource)
    return [*view.row("Scopes", scopes or None), *resource_rows]


def _signed_limit_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the limits as they appear in the signed text, if other approvers are involved."""
    if approval.granted is None or approval.vote_tally is None:
        return []
    lines = wrap_text(fmt("In the text that you sign:"), view.width, Role.ALERT)
    for place in approval.granted.places:
        lines += wrap_text(_limit_text(place), view.width, Role.STRONG, indent=2)
    return lines


def _limit_text(place: Place) -> SafeText:
    if not place.asked:
        return fmt("{} is {}", place.pointer, place.granted)
    return fmt("{} is {}, not {}", place.pointer, place.granted, place.asked)


def _unusual_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return what is unusual, and how many earlier approvals it was compared with."""
    display = approval.display
    if display.unusual is None:
        return []
    rows = [(found.text, Role.ALERT if found.warns else Role.PLAIN) for found in display.unusual]
    rows += [(display.compared, Role.DIM)] if display.compared else []
    labels = ["Unusual", *[""] * len(rows)]
    return [
        row
        for label, (text, role) in zip(labels, rows, strict=False)
        for row in view.row(label, text, role)
    ]


def _undo_lines(approval: Approval, view: RenderContext) -> list[Line]:
    return view.row("Undo", approval.display.undo or fmt("Unknown"))


def _agent_lines(approval: Approval, view: RenderContext) -> list[Line]:
    agent = approval.agent
    owners = SafeText(", ".join(agent.owners)) or fmt("nobody")
    asked_text = fmt(
        "from {} at {}",
        approval.display.asked_from,
        view.clock(approval.display.asked_at),
    )
    is_agent_action = approval.kind is Kind.ACTION
    role = "App" if approval.kind is Kind.APP_ACTION else "Agent"
    name = fmt("this agent") if is_agent_action else agent.name
    first_request = fmt("First request from {}.", name)
    earlier = approval.supersedes
    replaced = None if earlier is None else fmt("{}, no longer waiting", earlier.fingerprint)
    return [
        *view.row(role, agent.name if approval.is_action else None),
        *view.row("", first_request if agent.first_request else None, Role.ALERT),
        *view.row("Owner", owners if is_agent_action else None),
        *view.row("Called by", SafeText(", ".join(agent.through)) or None),
        *view.row("Requested", asked_text),
        *view.row("Replaces", replaced),
        *view.row("Why you", approval.display.why),
    ]


def _agent_message_lines(approval: Approval, view: RenderContext) -> list[Line]:
    if approval.agent_says is None:
        return []
    return [
        BLANK,
        line(fmt("Agent says, not verified:"), Role.LABEL),
        *quote_lines(approval.agent_says, view),
    ]


def _consequence_lines(approval: Approval, view: RenderContext) -> list[Line]:
    expires_at = view.clock(approval.expires_at)
    left = remaining_in_words(approval.expires_at, view.now)
    stage = countdown_stage(approval.expires_at, view.now)
    stage_text = SafeText("") if stage is None else fmt("{}: ", stage.words)
    expiry = fmt("{}{}, {}. Expiring isn't a denial.", stage_text, expires_at, left)
    log_hint = fmt("  compare it with the agent's log")
    fingerprint_text = fmt(
        "{}{}",
        SafeText(approval.fingerprint),
        log_hint if approval.kind is Kind.ACTION else fmt(""),
    )
    is_open = approval.is_waiting(view.now)
    role = Role.PLAIN if stage is None else Role.ALERT
    has_requirements = is_open and approval.steps - {Step.PIN}
    return [
        *view.row("Requires", _requirements_text(approval) if has_requirements else None),
        *view.row("If approved", _grants_text(approval)),
        *_vote_lines(approval, view),
        *view.row("Expires", expiry if is_open else None, role),
        *view.row("Fingerprint", fingerprint_text),
    ]


def _requirements_text(approval: Approval) -> SafeText:
    """Return the steps that approving requires."""
    return SafeText(", ".join(approval.requirement(step) for step in sorted(approval.steps)))


def _vote_lines(approval: Approval, view: RenderContext) -> list[Line]:
    """Return who the request is for, who must approve, and the votes so far."""
    if approval.vote_tally is None:
        return []
    votes = [
        row
        for vote in approval.vote_tally.votes
        for reason in (fmt(' "{}"', vote.reason) if vote.reason else SafeText(""),)
        for row in view.row("", fmt("{}: {}{}", vote.by_name, vote.verdict, reason))
    ]
    approvals = view.row("Approvals", approval.vote_tally.words)
    return [*_user_rows(approval, view), *approvals, *votes]


def _vote_position_lines(approval: Approval, view: RenderContext) -> list[Line]:
    if (tally := approval.vote_tally) is None:
        return []
    return wrap_text(
        fmt("Your approval would be {} of {}.", tally.have + 1, tally.need), view.width
    )


def _user_rows(approval: Approval, view: RenderContext) -> list[Line]:
    """Return the user the agent acts for, if a request needs several approvers."""
    return view.row("For", approval.display.user_name if approval.vote_tally else None)


def _signed_text_lines(name: str, text: str, digest: str, view: RenderContext) -> list[Line]:
    safe = display_safe(_pretty_json(text), max_len=_RAW_LENGTH, max_lines=_RAW_LINES)
    return [
        line(fmt("{} text", SafeText(name)), Role.HEADING),
        *wrap_text(fmt("SHA-256 {}", SafeText(digest)), view.width, Role.DIM),
        *wrap_text(safe, view.width),
    ]


def _pretty_json(text: str) -> str:
    """Format JSON with one member per line. It is valid, as it was parsed on arrival."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=_JSON_INDENT)
