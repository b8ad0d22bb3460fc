"""What the verbs print for people: one fact per line, plain text, nothing that moves the cursor.

Owns: the wording. Never: text that is not SafeText, JSON.
"""

from approver_tui.cli.printing import local_time, time_left
from approver_tui.client.wire import Page
from approver_tui.state.approvals import Approval, ApprovalState, Kind, Oddity, Unverified
from approver_tui.state.consents import Consent, ConsentState
from approver_tui.state.devices import Device
from approver_tui.state.narrowing import Granted
from approver_tui.state.reported import Reported

_WIDTH = 14


def fact(label: str, value: str) -> str:
    """Return one line; further lines of the value are indented under its first."""
    return f"{label + ':':<{_WIDTH}} " + value.replace("\n", "\n" + " " * (_WIDTH + 1))


def page(listed: Page, now: int, *, empty: str) -> list[str]:
    """Return a list of approvals, and which of its rows nothing is believed of; or `empty`."""
    text = [line for approval in listed.items for line in row(approval, now)]
    text += [line for each in listed.unverified for line in _unverified(each)]
    return text or [empty]


def waiting(listed: Page) -> str:
    """Return how many requests wait, and how many of them nothing is believed of."""
    doubtful = len(listed.unverified)
    also = f", and {doubtful} that cannot be verified" if doubtful else ""
    return f"{len(listed.items)}{also}"


def row(approval: Approval, now: int) -> list[str]:
    """Return an approval as an entry of a list."""
    return [
        approval.headline,
        "  " + f"{approval.id}  {approval.fingerprint}  {approval.risk.value} risk",
        "  " + f"{_who(approval)}, {standing(approval, now)}",
    ]


def _who(approval: Approval) -> str:
    if approval.kind is Kind.DEVICE:
        return f"a device at {approval.display.asked_from}"
    if approval.kind is Kind.APP_ACTION:
        return f"the app {approval.agent.name}"
    if approval.kind is Kind.APP_DEVICE:
        return f"{approval.agent.name} on a device at {approval.display.asked_from}"
    return approval.agent.name


def approval_in_full(approval: Approval, now: int) -> list[str]:
    """Return everything a person needs to answer."""
    shown = approval.display
    return [
        approval.headline,
        "",
        *(fact(each.label, each.value) for each in shown.facts if each.material),
        *_unusual(shown.unusual),
        *(fact(each.label, each.value) for each in shown.facts if not each.material),
        *_rights(approval),
        *granted(approval.granted),
        "",
        fact("risk", f"{approval.risk.value}: {shown.risk_reason}"),
        fact("why you", shown.why),
        fact("a yes gives", shown.gives),
        fact("undo", shown.undo),
        *_asker(approval),
        *_agent_says(approval),
        fact("asked", f"{local_time(shown.asked_at)} from {shown.asked_from}"),
        fact("state", standing(approval, now)),
        fact("id", approval.id),
        fact("fingerprint", approval.fingerprint),
        *_next(approval, now),
    ]


def outcome(approval: Approval) -> list[str]:
    """Return what became of an answer."""
    said = [f"{approval.state_word.capitalize()}: {approval.headline}", f"  {approval.id}"]
    return said + granted(approval.granted)


def granted(value: Granted | None) -> list[str]:
    """Return what is granted beside what was asked, where it is less."""
    if value is None:
        return []
    rows = [("less than asked", "asked", "granted")]
    rows += [(each.label, each.asked, each.granted) for each in value.differences]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return ["", *(f"{a:<{first}}  {b:<{second}}  {c}" for a, b, c in rows)]


def reported(done: Reported) -> list[str]:
    """Return what came of a report."""
    stopped = [
        f"  {agent.name} is {agent.state}: {_count(agent.tokens_revoked, 'token')} and "
        f"{_count(agent.requests_cancelled, 'other request')} ended."
        for agent in done.agents
    ]
    state = done.approval.state_word.capitalize()
    return [
        f"Reported. {state}: {done.approval.headline}",
        *(stopped or ["  No agent had asked for it, so none was stopped."]),
        f"  incident {done.incident}; an administrator looks into it.",
    ]


def device(value: Device, now: int) -> list[str]:
    """Return one device."""
    seen = "never" if value.last_seen_at is None else local_time(value.last_seen_at)
    state = "active" if value.is_active else "revoked"
    mine = " (this one)" if value.is_this else ""
    lines = [f"{value.name}{mine}", f"  {value.id}  {value.kind}, {state}, last seen {seen}"]
    if value.high_from > now:
        lines.append(f"  high risk only in {time_left(value.high_from, now)}, unless vouched for")
    return lines + pin(value)


def consent(value: Consent) -> list[str]:
    """Return one consent, and how to take it back."""
    asked = "" if value.app_name is None else f", asked for by {value.app_name}"
    lines = [
        f"{value.client_name} at {value.resource}{asked}",
        f"  may use {', '.join(value.scopes)}",
    ]
    if value.state is ConsentState.LIVE:
        until = f"  until {local_time(value.expires_at)}"
        return [*lines, until, f"  sayso-approver revoke {value.id}"]
    ended = value.expires_at if value.revoked_at is None else value.revoked_at
    return [*lines, f"  {value.state.value} {local_time(ended)}"]


def pin(value: Device) -> list[str]:
    """Return what is wrong with a device's PIN, if anything."""
    if value.pin.locked:
        return ["  locked: too many PIN tries"]
    if value.pin.exhausted:
        return ["  the PIN is worn out: log in again to choose a new one"]
    if value.pin.tries:
        return [f"  {value.pin.tries} PIN tries since the last right one"]
    return []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _unverified(listed: Unverified) -> list[str]:
    return [
        "NOT VERIFIED: this request cannot be read or answered here.",
        "  " + listed.id,
        "  " + listed.problem,
    ]


def _unusual(found: tuple[Oddity, ...] | None) -> list[str]:
    if found is None:
        return []
    return [fact("unusual", "\n".join(each.text for each in found) or "nothing unusual")]


def _rights(approval: Approval) -> list[str]:
    """What an agent or app would get once; the other kinds have it among their facts."""
    if not approval.is_action:
        return []
    shown = approval.display
    scopes = [fact("may use", f"{scope.name} ({scope.risk.value})") for scope in shown.scopes]
    return [*scopes, fact("at", shown.resource)]


def _asker(approval: Approval) -> list[str]:
    agent = approval.agent
    first = ", asks you for the first time" if agent.first_request else ""
    if approval.kind is Kind.ACTION:
        return [fact("agent", f"{agent.name} of {', '.join(agent.owners)}{first}")]
    if approval.kind is Kind.APP_ACTION:
        return [fact("app", f"{agent.name}{first}")]
    return [fact("asked for", f"{agent.name}{first}")] if first else []


def _agent_says(approval: Approval) -> list[str]:
    if approval.agent_says is None:
        return []
    return [f'agent says (not verified): "{approval.agent_says}"']


def standing(approval: Approval, now: int) -> str:
    """Where it stands, and since whom it does."""
    if approval.is_waiting(now):
        return f"expires in {time_left(approval.expires_at, now)}"
    if approval.state is ApprovalState.PENDING:
        return f"expired {local_time(approval.expires_at)}, which is not a denial"
    state = approval.state_word
    if approval.is_taken_back:
        return f"{state}: its agent took it back"
    if approval.decided is not None:
        who = f"{approval.decided.by_name} on {approval.decided.device_name}"
        state += f" by {who} at {local_time(approval.decided.at)}"
    return state if approval.reason is None else f"{state} ({approval.reason})"


def _next(approval: Approval, now: int) -> list[str]:
    if not approval.is_waiting(now):
        return []
    return [
        "",
        f"sayso-approver approve {approval.id} --fingerprint {approval.fingerprint}",
        f"sayso-approver deny {approval.id} --code wrong_details",
    ]
