"""Output of the commands for people: one fact per line, without cursor movement.

Owns: the wording. Never: JSON, text that is not SafeText.
"""

from approver_tui.cli.approvals.entries import FLAGS
from approver_tui.cli.printing import align, local_time, program, time_left
from approver_tui.state.approvals.approvals import (
    Approval,
    ApprovalState,
    AutomaticDecision,
    Decided,
    Display,
    Execution,
    Kind,
    Retry,
)
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.approvals.countdown import countdown_stage
from approver_tui.state.approvals.endings import END_REASONS
from approver_tui.state.approvals.narrowing import Granted, Place
from approver_tui.state.approvals.type_back import hide_typed_fact
from approver_tui.state.consents.consents import Consent, ConsentState
from approver_tui.state.devices.devices import Device
from approver_tui.state.incidents.reports import ReportResult
from approver_tui.state.notifications.deliveries import Delivery
from approver_tui.state.text import display_safe, pluralize

_WIDTH = 14
_MAX_TEXT_LENGTH = 100_000
_SELF_EXPLANATORY_REASONS = {"", "not_redeemed"}
"""Reasons that need no sentence after the outcome."""


def fact(label: str, value: str) -> str:
    """Return a label and its value; further lines of the value are indented."""
    return f"{label + ':':<{_WIDTH}} " + value.replace("\n", "\n" + " " * (_WIDTH + 1))


def approval_in_full(approval: Approval, now: int) -> list[str]:
    """Return everything needed to answer, in the order of the app."""
    return [*request_lines(approval, now), *_next_commands(approval, now)]


def request_lines(approval: Approval, now: int) -> list[str]:
    """Return everything about a request except the commands to run next."""
    display = approval.display
    return [
        ": ".join(filter(None, (f"{approval.risk.value.upper()} RISK", display.risk_reason))),
        approval.outcome_headline,
        *granted_lines(approval.granted),
        "",
        *(fact(item.label, item.value) for item in display.facts if item.material),
        *_unusual_lines(display),
        *(fact(item.label, item.value) for item in display.facts if not item.material),
        *_scope_lines(approval),
        *_signed_limit_lines(approval, now),
        "",
        fact("undo", display.undo),
        *_agent_lines(approval),
        fact("requested", f"{local_time(display.asked_at)} from {display.asked_from}"),
        *_replaced_request_lines(approval),
        fact("why you", display.why),
        *_agent_message_lines(approval),
        "",
        *_grants_lines(approval),
        *_requirement_lines(approval, now),
        *_vote_lines(approval),
        fact("state", _full_status_text(approval, now)),
        *_answer_lines(approval.decision),
        *(fact("delivered to", _delivery_text(device)) for device in approval.devices),
        *_execution_lines(approval.execution),
        fact("id", approval.id),
        fact("fingerprint", approval.fingerprint),
    ]


def _replaced_request_lines(approval: Approval) -> list[str]:
    """Return the fingerprint of the earlier request that this one replaces, if any."""
    if (earlier := approval.supersedes) is None:
        return []
    return [fact("replaces", f"{earlier.fingerprint}, no longer waiting")]


def _requirement_lines(approval: Approval, now: int) -> list[str]:
    """Return what approving requires; the command line always asks for the PIN."""
    if not approval.is_waiting(now):
        return []
    steps = sorted(approval.steps | {Step.PIN})
    required = [fact("requires", ", ".join(approval.requirement(step) for step in steps))]
    locked = fact(
        "LOCKED", "too many wrong entries; you can still deny it, and others can decide it"
    )
    return [*required, locked] if approval.is_locked else required


def approval_summary(approval: Approval, now: int) -> list[str]:
    """Return a summary of what would be approved, to show before the PIN prompt."""
    approval = hide_typed_fact(approval)
    display = approval.display
    part = " part of" if approval.granted else ""
    return [
        "",
        f"You are about to approve{part} this request:",
        approval.granted_headline,
        *(fact(item.label, item.value) for item in display.facts if item.material),
        *granted_lines(approval.granted),
        *_signed_limit_lines(approval, now),
        *_grants_lines(approval),
        fact("undo", display.undo),
        fact("fingerprint", approval.fingerprint),
        fact("state", status_text(approval, now)),
    ]


def retry_requested(approval: Approval) -> str:
    """Return the message that the agent of an expired request is asked to retry."""
    return f"{approval.agent.name} will be asked to retry at its next poll."


def _counted_vote_lines(approval: Approval) -> list[str]:
    """Return the message that an approval was counted, and which others are still needed."""
    words = "" if approval.vote_tally is None else f" ({approval.vote_tally.words})"
    return [f"Your approval was counted{words}: {approval.outcome_headline}", f"  {approval.id}"]


def signed_texts(approval: Approval) -> list[str]:
    """Return the two signed texts, with special characters visible, and their digests."""
    texts = (
        ("action", approval.action_text, approval.action_digest),
        ("display", approval.display_text, approval.display_digest),
    )
    return [
        line
        for name, text, digest in texts
        for line in (f"{name}, {digest}:", display_safe(text, max_len=_MAX_TEXT_LENGTH))
    ]


def outcome_lines(approval: Approval) -> list[str]:
    """Return the outcome of an answer."""
    if approval.state is ApprovalState.PENDING:
        return _counted_vote_lines(approval) + granted_lines(approval.granted)
    mark = ":" if approval.granted is None else "."
    lines = [f"{approval.state_text.capitalize()}{mark} {approval.outcome_headline}"]
    lines.append(f"  {approval.id}")
    if approval.vote_tally is not None:
        lines.append(f"  {approval.vote_tally.progress}")
    return lines + granted_lines(approval.granted)


def granted_lines(value: Granted | None) -> list[str]:
    """Return what is granted next to what was requested, if it is less."""
    if value is None:
        return []
    rows: list[tuple[str, str, str]] = [("approved with limits", "requested", "granted")]
    rows += [
        (difference.label, difference.asked, difference.granted) for difference in value.differences
    ]
    return ["", *align(rows)]


def _grants_lines(approval: Approval) -> list[str]:
    """Return the access that approving gives; for a narrowed request, only the granted part."""
    gives, narrowed = approval.display.gives, approval.granted
    if narrowed is None:
        return [fact("grants", gives)]
    rows = [
        f"{difference.label}: {difference.granted}, not {difference.asked}"
        for difference in narrowed.differences
    ]
    return [fact("grants", "\n".join([f"Part of: {gives}", *rows]))]


def _signed_limit_lines(approval: Approval, now: int) -> list[str]:
    """Return the limits from the signed text, if someone else narrowed the request."""
    if approval.granted is None or not approval.is_waiting(now):
        return []
    return ["", "limits in the signed text:", *map(_place_line, approval.granted.places)]


def _place_line(place: Place) -> str:
    requested = f", not {place.asked}" if place.asked else ""
    return f"  {place.pointer} is {place.granted}{requested}"


def report_lines(report_result: ReportResult) -> list[str]:
    """Return the result of a report."""
    quarantined = [
        f"  {agent.name} is {agent.state}: {pluralize(agent.tokens_revoked, 'token')} and "
        f"{pluralize(agent.requests_cancelled, 'other request')} ended."
        for agent in report_result.agents
    ]
    state = report_result.approval.state_text.capitalize()
    return [
        f"Reported. {state}: {report_result.approval.outcome_headline}",
        *(quarantined or ["  No agent made this request, so none was quarantined."]),
        f"  incident {report_result.incident}; an administrator will review it.",
    ]


def device_lines(value: Device, now: int) -> list[str]:
    """Return one device."""
    last_seen = "never" if value.last_seen_at is None else local_time(value.last_seen_at)
    state = "active" if value.is_active else "revoked"
    this_device = " (this device)" if value.is_this else ""
    lines = [
        f"{value.name}{this_device}",
        f"  {value.id}  {value.kind}, {state}, last seen {last_seen}",
    ]
    if value.high_from > now:
        lines.append(
            f"  cannot approve high risk for {time_left(value.high_from, now)}, unless vouched for"
        )
    return lines + pin_problems(value)


def consent_lines(value: Consent) -> list[str]:
    """Return one consent, and how to revoke it."""
    requester = "" if value.app_name is None else f", requested by {value.app_name}"
    lines = [
        f"{value.client_name} at {value.resource}{requester}",
        f"  may use {', '.join(value.scopes)}",
    ]
    if value.state is ConsentState.LIVE:
        until = f"  until {local_time(value.expires_at)}"
        return [*lines, until, f"  {program()} revoke {value.id}"]
    ended = value.expires_at if value.revoked_at is None else value.revoked_at
    return [*lines, f"  {value.state.value} {local_time(ended)}"]


def pin_problems(value: Device) -> list[str]:
    """Return what is wrong with a device's PIN, if anything."""
    if value.pin.locked:
        return ["  locked: too many wrong PINs"]
    if value.pin.exhausted:
        return ["  this PIN can no longer be used; log in again to choose a new one"]
    if value.pin.tries:
        return [f"  {pluralize(value.pin.tries, 'wrong PIN')} since the last correct one"]
    return []


def _unusual_lines(display: Display) -> list[str]:
    if display.unusual is None:
        return []
    signal_texts = [*(signal.text for signal in display.unusual), display.compared or ""]
    return [fact("unusual", "\n".join(filter(None, signal_texts)))]


def _scope_lines(approval: Approval) -> list[str]:
    """Return the scopes and resource of an action; other kinds list them among the facts."""
    if not approval.is_action:
        return []
    display = approval.display
    scopes = [fact("scopes", f"{scope.name} ({scope.risk.value})") for scope in display.scopes]
    return [*scopes, fact("resource", display.resource)]


def _agent_lines(approval: Approval) -> list[str]:
    agent = approval.agent
    first_request = " (first request)" if agent.first_request else ""
    if approval.kind is Kind.ACTION:
        return [
            fact("agent", f"{agent.name}{first_request}"),
            fact("owner", ", ".join(agent.owners) or "nobody"),
            *([fact("called by", ", ".join(agent.through))] if agent.through else []),
        ]
    if approval.kind is Kind.APP_ACTION:
        return [fact("app", f"{agent.name}{first_request}")]
    return [fact("requested by", f"{agent.name}{first_request}")] if first_request else []


def _agent_message_lines(approval: Approval) -> list[str]:
    if approval.agent_says is None:
        return []
    return [f'agent says (not verified): "{approval.agent_says}"']


def status_text(approval: Approval, now: int) -> str:
    """Return the state, and when it began."""
    if approval.is_waiting(now):
        vote_text = "" if approval.vote_tally is None else f"; {approval.vote_tally.words}"
        stage = countdown_stage(approval.expires_at, now)
        stage_text = "" if stage is None else f"{stage.words}: "
        return f"{stage_text}expires in {time_left(approval.expires_at, now)}{vote_text}"
    if approval.state is ApprovalState.PENDING:
        return f"expired {local_time(approval.expires_at)}, not a denial"
    return _ended_text(approval)


def _ended_text(approval: Approval) -> str:
    """Return who answered and how, and how the request ended if that differs."""
    later = f", {approval.later_text}" if approval.later_text else ""
    if approval.state is ApprovalState.REDEEMED and approval.is_action:
        later = "; the agent collected its token"
    return f"{approval.verdict_text}{_by_text(approval)}{later}{_end_reason(approval)}"


def _by_text(approval: Approval) -> str:
    if approval.decision is not None:
        return _person_text(approval.decision)
    decision = approval.automatic_decision
    return "" if decision is None else _automatic_text(decision)


def _person_text(decided: Decided) -> str:
    code = f", {decided.code.label}" if decided.code else ""
    at = local_time(decided.at)
    return f" by {decided.by_name} on {decided.device_name} at {at}{code}"


def _answer_lines(decided: Decided | None) -> list[str]:
    """Return the reason, the notes and the other extras of an answer, if any."""
    if decided is None:
        return []
    retry_time = None if decided.retry_at is None else local_time(decided.retry_at)
    rows = {
        "reason": decided.reason,
        "agent note": decided.note,
        "not before": retry_time,
        "ask instead": decided.ask,
        "private note": decided.private_note,
    }
    return [fact(label, value) for label, value in rows.items() if value]


def _end_reason(approval: Approval) -> str:
    """Return why the request ended, after a colon, and whether its agent is asked to retry."""
    reason = approval.reason or ""
    reason_text = (
        f": {END_REASONS.get(reason, reason)}" if reason not in _SELF_EXPLANATORY_REASONS else ""
    )
    retry_text = " Its agent is asked to retry." if approval.retry is Retry.ASKED else ""
    return reason_text + retry_text


def _automatic_text(automatic_decision: AutomaticDecision) -> str:
    basis = f"standing grant {automatic_decision.grant}, use {automatic_decision.use}"
    basis = f"consent {automatic_decision.consent}" if automatic_decision.grant is None else basis
    return f" under {basis}"


def _vote_lines(approval: Approval) -> list[str]:
    """Return the user and the votes. They follow the facts, so that those are read first."""
    if approval.vote_tally is None:
        return []
    votes = [
        fact("", f"{vote.by_name}: {vote.verdict}, {local_time(vote.at)}{reason}")
        for vote in approval.vote_tally.votes
        for reason in (f' "{vote.reason}"' if vote.reason else "",)
    ]
    for_user = fact("for", approval.display.user_name)
    return [for_user, fact("approvals", approval.vote_tally.words), *votes]


def _full_status_text(approval: Approval, now: int) -> str:
    status = status_text(approval, now)
    if not approval.is_waiting(now):
        return status
    return f"{status}, at {local_time(approval.expires_at)}. Expiring isn't a denial."


def _execution_lines(execution: Execution | None) -> list[str]:
    """Return what the resource did."""
    if execution is None:
        return []
    lines = [
        fact("execution", f"{execution.progress_text} {local_time(execution.at)} as {execution.id}")
    ]
    if execution.text is not None:
        lines.append(fact("resource says", f'"{execution.text}"'))
    if execution.as_granted is False:
        lines.append(fact("ALARM", "the resource did something other than what was granted"))
    return lines


def _delivery_text(delivery: Delivery) -> str:
    """Return when one device received, showed and answered a request."""
    text = f"{delivery.device_name} {local_time(delivery.delivered_at)}"
    text += "" if delivery.seen_at is None else f", seen {local_time(delivery.seen_at)}"
    return text + (
        "" if delivery.decided_at is None else f", decided {local_time(delivery.decided_at)}"
    )


def _next_commands(approval: Approval, now: int) -> list[str]:
    if approval.is_expired(now):
        return ["", f"{program()} retry {approval.id}"]
    if not approval.is_waiting(now):
        return []
    entry_flags = "".join(f" {flag} …" for step, flag in FLAGS.items() if step in approval.steps)
    return [
        "",
        f"{program()} approve {approval.id} --fingerprint {approval.fingerprint}{entry_flags}",
        f"{program()} deny {approval.id} --code wrong_details",
    ]
