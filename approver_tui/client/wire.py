"""The server's JSON, parsed into this program's values.

Owns: every document of the approver's API and the feed, parsed strictly; a WireError names the
member. An approval is accepted only if its two texts match their digests and each other; everything
shown comes from those texts. A list reports its rejected rows, so that one of them does not hide
the others. Never: HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from approver_tui.client.approvals.display_wire import read_display, with_current_signals
from approver_tui.client.errors import WireError
from approver_tui.client.jose import unb64
from approver_tui.client.reading import JsonObject, read_as, read_each, read_name
from approver_tui.state.approvals.approvals import (
    Approval,
    AutomaticDecision,
    Decided,
    Execution,
    Kind,
    Unverified,
)
from approver_tui.state.approvals.ceremony import Ceremony, Step, read_ceremony
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.differences import differing_places
from approver_tui.state.approvals.look_alikes import look_key
from approver_tui.state.approvals.narrowing import Difference, Granted, Narrowable, NarrowableFact
from approver_tui.state.approvals.votes import Vote, VoteTally
from approver_tui.state.devices.devices import Browser, Device, Me, User
from approver_tui.state.fingerprint import digest
from approver_tui.state.incidents.reports import QuarantinedAgent, ReportResult
from approver_tui.state.notifications.deliveries import Delivery
from approver_tui.state.notifications.events import AlarmSubject, Event, EventName
from approver_tui.state.text import SafeText, display_safe

_MAX_NAME_LENGTH = 64
_RESERVED_PREFIX = "sayso:"
"""The prefix of `authorization_details` types that no agent can send."""
_ACTION_MEMBERS = frozenset({"agent", "authorization_details", "resource", "salt", "scope", "user"})


@dataclass(frozen=True, slots=True)
class Page:
    """One page of approvals. `feed_cursor` is where the live feed continues."""

    items: tuple[Approval, ...]
    next: str | None
    feed_cursor: int
    server_time: int
    unverified: tuple[Unverified, ...] = ()
    """The rows of this page that failed verification."""

    def soonest_first(self) -> "Page":
        """Return the page sorted by expiry, soonest first; ties remain in order of risk."""
        return replace(self, items=tuple(sorted(self.items, key=lambda item: item.expires_at)))


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """The server's half of the PIN, a nonce for the confirmation, attempts used and left."""

    y: bytes
    nonce: str
    tries: int
    left: int


def read_approval(members: JsonObject) -> Approval:
    """Return an approval. Raises WireError unless texts, digests and outer members agree."""
    display_text = members.text("display")
    approval = read_as(
        Approval,
        members,
        ceremony=_read_ceremony(members),
        display=with_current_signals(
            read_display(JsonObject.parse(display_text, members.path_of("display"))),
            members.optional("unusual", JsonObject.child),
        ),
        action_text=members.text("action"),
        display_text=display_text,
        decision=members.read_child("decided", _read_decided),
        execution=members.read_child("execution", _read_execution),
        automatic_decision=members.read_child("decided_by", _read_automatic_decision),
        granted=_read_granted_part(members),
        vote_tally=members.read_child("vote_tally", read_votes),
        devices=_read_deliveries(members),
        extended_to=members.optional("expires_at", JsonObject.time),
        tries_left=members.read_child("tries_left", _read_tries),
        look_key=None,
    )
    _check_outer_members(members, approval)
    check_texts(approval, members.path)
    return replace(approval, look_key=look_key(approval.action_text, approval.display_text))


def check_texts(approval: Approval, path: str = "") -> None:
    """Raise WireError unless both texts match their digests and each other."""
    parent = JsonObject({}, path)
    if digest(approval.action_text) != approval.action_digest:
        raise WireError(parent.path_of("action"), "does not match its digest")
    if digest(approval.display_text) != approval.display_digest:
        raise WireError(parent.path_of("display"), "does not match its digest")
    action = JsonObject.parse(approval.action_text, parent.path_of("action"))
    display = JsonObject.parse(approval.display_text, parent.path_of("display"))
    if set(action.values) != _ACTION_MEMBERS:
        raise WireError(action.path, "has unknown or missing members")
    _check_equal(display, "approval", approval.id)
    _check_kind(display, action)
    _check_equal(display, "resource", action.text("resource"))
    _check_equal(display.child("agent"), "id", action.text("agent"))
    _check_equal(display.child("user"), "id", action.text("user"))
    shown = {scope.text("scope") for scope in display.children("scopes")}
    if shown != set(action.texts("scope")):
        raise WireError(display.path_of("scopes"), "do not match the action")


def read_granted(members: JsonObject) -> Granted:
    """Return what was or would be granted, after checking that its text matches its digest."""
    text = members.text("text")
    if digest(text) != members.text("digest"):
        raise WireError(members.path_of("text"), "does not match its digest")
    changes = read_each(Difference, members, "changes")
    return read_as(Granted, members, text=text, differences=changes, places=())


def read_page(members: JsonObject) -> Page:
    """Return one page of approvals, with rejected rows listed separately."""
    rows = [_read_row(item) for item in members.children("items")]
    return Page(
        items=tuple(row for row in rows if isinstance(row, Approval)),
        next=members.optional("next", JsonObject.text),
        feed_cursor=members.integer("feed_cursor"),
        server_time=members.time("server_time"),
        unverified=tuple(row for row in rows if isinstance(row, Unverified)),
    )


def unverified_row(approval_id: str, error: WireError) -> Unverified:
    """Return the row for a request that failed verification."""
    return Unverified(display_safe(approval_id), display_safe(str(error), max_len=200))


def read_me(members: JsonObject) -> Me:
    """Return who is logged in."""
    user = members.child("user")
    return read_as(
        Me,
        members,
        user=read_as(User, user, roles=user.safe_texts("roles", max_len=60)),
        device=members.read_child("device", read_device),
    )


def read_device(members: JsonObject) -> Device:
    """Return a device."""
    keys = members.child("keys")
    return read_as(
        Device,
        members,
        is_active=members.text("state") == "active",
        high_from=members.time("high_from"),
        is_this=members.boolean("this"),
        session_key=keys.text("session"),
        low_key=keys.text("low"),
        high_key=keys.text("high"),
        browsers=(),
    )


def read_browsers(members: JsonObject) -> tuple[Browser, ...]:
    """Return the active browsers, then those that are unknown to their push service."""
    active_browsers = (
        _read_browser(child, is_dormant=child.boolean("dormant"), lost_at=None)
        for child in members.children("items")
    )
    lost_browsers = (
        _read_browser(child, is_dormant=False, lost_at=child.time("lost_at"))
        for child in members.children("lost")
    )
    return (*active_browsers, *lost_browsers)


def read_narrowable(members: JsonObject) -> Narrowable:
    """Return what can be reduced in a request."""
    facts = (
        read_as(
            NarrowableFact,
            fact,
            pointer=fact.text("fact"),
            items=fact.safe_texts("items", max_len=280),
        )
        for fact in members.children("facts")
    )
    return read_as(Narrowable, members, facts=tuple(facts))


def read_pin_answer(members: JsonObject) -> PinAnswer:
    """Return the server's half of the PIN."""
    try:
        y = unb64(members.text("y"))
    except ValueError:
        raise WireError(members.path_of("y"), "is not base64url") from None
    return read_as(PinAnswer, members, y=y)


def read_report(members: JsonObject) -> ReportResult:
    """Return the result of a report."""
    agents = (
        read_as(QuarantinedAgent, agent, id=agent.safe("client_id"))
        for agent in members.children("agents")
    )
    approval = read_approval(members.child("approval"))
    return read_as(ReportResult, members, agents=tuple(agents), approval=approval)


def read_event(members: JsonObject) -> Event:
    """Return the event of a feed frame of type `event`."""
    incident = members.safe_or_none("incident", max_len=_MAX_NAME_LENGTH)
    return read_as(
        Event,
        members,
        name=members.choice("event", EventName),
        approval=members.read_child("approval", read_approval),
        device=members.read_child("device", read_device),
        about=members.read_child("agent", partial(_read_alarm_subject, incident)),
    )


def _read_alarm_subject(incident: SafeText | None, agent: JsonObject) -> AlarmSubject:
    agent_id, name = (agent.safe(member, max_len=_MAX_NAME_LENGTH) for member in ("id", "name"))
    return AlarmSubject(agent_id, name, incident)


def _read_row(members: JsonObject) -> Approval | Unverified:
    try:
        return read_approval(JsonObject(members.values))
    except WireError as error:
        approval_id = members.values.get("id")
        return unverified_row(
            approval_id if isinstance(approval_id, str) else "a request without an ID", error
        )


_MAX_GRANT_OBJECTS = 2
"""Objects of a standing grant: its limits, and at most one example."""


def _check_kind(display: JsonObject, action: JsonObject) -> None:
    """Check that the displayed kind is the kind of the signed action."""
    kind = display.choice("kind", Kind)
    types = [detail.text("type") for detail in action.children("authorization_details")]
    reserved = [name for name in types if name.startswith(_RESERVED_PREFIX)]
    expected = [] if kind is Kind.ACTION else [_RESERVED_PREFIX + kind.value]
    if kind is Kind.APP_ACTION:
        is_match = types[:1] == expected and len(types) > 1
    elif kind is Kind.STANDING_GRANT:
        is_match = types[:1] == expected and len(types) <= _MAX_GRANT_OBJECTS
    else:
        is_match = kind is Kind.ACTION or types == expected
    if reserved != expected or not is_match:
        raise WireError(display.path_of("kind"), "does not match the action")


def _check_outer_members(members: JsonObject, approval: Approval) -> None:
    """Check that the outer members do not contradict the texts, because they are shown too."""
    _check_equal(members, "kind", approval.kind)
    _check_equal(members, "risk", approval.risk)
    _check_equal(members.child("agent"), "id", approval.agent.id)
    if (Step.TYPE_BACK in approval.ceremony) != (approval.display.type_back is not None):
        raise WireError(members.path_of("ceremony"), "contradicts the signed texts")


def _check_equal(members: JsonObject, name: str, expected: str) -> None:
    if members.text(name) != expected:
        raise WireError(members.path_of(name), "contradicts the signed texts")


def _read_granted_part(members: JsonObject) -> Granted | None:
    """Return the granted part of this action, with the places where it differs."""
    child = members.optional("granted", JsonObject.child)
    if child is None:
        return None
    granted = read_granted(child)
    try:
        return replace(granted, places=differing_places(members.text("action"), granted.text))
    except ValueError as error:
        raise WireError(child.path_of("text"), f"is not a part of the action: {error}") from error


def _read_browser(members: JsonObject, **values: object) -> Browser:
    return read_as(Browser, members, device_id=members.child("device").text("id"), **values)


def _read_ceremony(members: JsonObject) -> Ceremony:
    try:
        return read_ceremony(members.text("ceremony"))
    except ValueError:
        raise WireError(members.path_of("ceremony"), "has an unknown step") from None


def _read_tries(members: JsonObject) -> Mapping[Step, int]:
    """Return the remaining attempts of each step."""
    return {step: members.integer(step) for step in Step if step in members.values}


def read_votes(members: JsonObject) -> VoteTally:
    """Return the votes on a request that several users are asked about."""
    votes = (
        read_as(Vote, answer, **answer.id_and_name("by"), answer=answer.choice("decision", Answer))
        for answer in members.children("answers")
    )
    left = members.safe_texts("left", max_len=100)
    return read_as(VoteTally, members, left=left, votes=tuple(votes))


def _read_deliveries(members: JsonObject) -> tuple[Delivery, ...]:
    """Return what each device received; empty if the server does not say."""
    if members.values.get("devices") is None:
        return ()
    return tuple(
        read_as(Delivery, device, device_id=device.text("id"), device_name=device.safe("name"))
        for device in members.children("devices")
    )


def _read_execution(members: JsonObject) -> Execution:
    outcome = members.safe_or_none("outcome")
    return read_as(
        Execution,
        members,
        id=members.safe("execution_id"),
        succeeded=None if outcome is None else outcome == "executed",
        at=members.time("consumed_at" if outcome is None else "reported_at"),
    )


def _read_automatic_decision(members: JsonObject) -> AutomaticDecision:
    """Return the consent or standing grant that decided a request without the user."""
    grant = members.safe_or_none("standing_grant")
    return AutomaticDecision(
        consent=members.safe("consent") if grant is None else None,
        policy=members.integer("policy"),
        grant=grant,
        use=None if grant is None else members.integer("use"),
    )


def _read_decided(members: JsonObject) -> Decided:
    return read_as(
        Decided,
        members,
        **members.id_and_name("by"),
        **members.id_and_name("device"),
        ask=members.read_child("ask", read_name),
    )
