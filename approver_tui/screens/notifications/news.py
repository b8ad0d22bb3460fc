"""Events of the feed as one line of news.

Owns: the wording. Never: an agent's own words; only registered names and our text.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import LiteralString

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.countdown import CountdownStage
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.events import AlarmSubject, Event, EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import short_clock

_ABOUT_DEVICES = {
    EventName.DEVICE_ENROLLED: "was added to your account. Not you? Revoke it.",
    EventName.DEVICE_REVOKED: "was signed out for good.",
    EventName.DEVICE_LOCKED: "is locked after too many wrong PINs.",
    EventName.DEVICE_UNLOCKED: "was unlocked.",
    EventName.DEVICE_VOUCHED: "can approve high risk from now on.",
    EventName.DEVICE_UNREACHED: (
        "no longer gets notifications: its push service forgot it. Open Sayso there."
    ),
}
ALARMS = {
    EventName.CODE_REUSED: "ALARM: a one-time code was used a second time.",
    EventName.REFRESH_REUSED: "ALARM: an old sign-in of yours was used again.",
    EventName.PASSKEY_COUNTER: "ALARM: a copy of one of your passkeys may be in use. Remove it.",
    EventName.EXECUTION_DIFFERED: "ALARM: a resource did something other than what you approved.",
    EventName.INCIDENT_OPENED: "ALARM: somebody reported your agent; it is quarantined.",
    EventName.AGENT_PAUSED: "Your agent was denied repeatedly; it must wait.",
    EventName.AGENT_ORPHANED: "An agent has no owner. Find it one.",
    EventName.AGENT_QUARANTINED: "ALARM: an agent without an owner is quarantined.",
}
"""The text of each alarm."""
AT_ONCE = frozenset({*ALARMS, EventName.DEVICE_UNREACHED})
"""Events that are announced at once, before other news."""
_ABOUT_AGENTS = {
    EventName.AGENT_RENAMED: "Your agent has a new name: {}.",
    EventName.AGENT_ICON: "Your agent {} has a new icon; people see it in their browsers.",
    EventName.INCIDENT_OPENED: "ALARM: your agent {} was reported and is quarantined.",
    EventName.AGENT_PAUSED: "Your agent {} was denied repeatedly; it must wait.",
    EventName.AGENT_ORPHANED: "The agent {} has no owner. Find it one.",
    EventName.AGENT_QUARANTINED: "ALARM: the agent {} has no owner and is quarantined.",
}
"""The same if the server names the agent."""
_CHANGES = {
    EventName.AGENT_RENAMED: "your agent has a new name.",
    EventName.AGENT_ICON: "your agent has a new icon.",
    EventName.DIGEST: "requests that were held back are now waiting for you.",
    EventName.DEPUTY_NAMED: "a deputy was added: you for somebody, or somebody for you.",
    EventName.DEPUTY_ENDED: "a deputy period has ended.",
}
_CANCELLED = {
    "withdrawn": "{} is no longer needed.",
    "superseded": "{} was replaced by a newer one.",
}
"""The text for a request that its own agent ended, by reason."""
_CLOCKS = {
    EventName.EXTENDED: "{} has more time.",
    EventName.RETRY_ASKED: "{} expired, and its agent is asked to retry.",
    EventName.REMINDER: "{} is still waiting for your answer.",
    EventName.EXPIRED: "{} expired. This isn't a denial.",
}
_ABOUT_GRANTS = {
    EventName.GRANT_GIVEN: "your standing grant is in force.",
    EventName.GRANT_ENDED: "your standing grant has ended.",
}
_SAID = {**ALARMS, **_ABOUT_GRANTS, **_CHANGES}
"""The text of events about requests."""


def news(event: Event, zone: tzinfo | None, *, is_narrow: bool) -> SafeText:
    """Return the line for an event; empty if there is none."""
    text = _text(event, is_narrow=is_narrow)
    return say("{} {}", short_clock(event.at, zone), text) if text else text


def ending_soon(near: CountdownStage, approvals: Sequence[Approval]) -> SafeText:
    """Return the line for requests that end soon."""
    first = approvals[0].headline
    if len(approvals) == 1:
        return say("{} s left: {}", near, first)
    return say("{} s left for {} requests, the first: {}", near, len(approvals), first)


def _text(event: Event, *, is_narrow: bool) -> SafeText:
    if event.about is not None and event.name in _ABOUT_AGENTS:
        return _about_agent(_ABOUT_AGENTS[event.name], event.about)
    if event.name in _SAID:
        return SafeText(_SAID[event.name])
    if event.device is not None:
        return _about_device(event.name, event.device)
    if event.approval is not None:
        return _about_approval(event.name, event.approval, is_narrow=is_narrow)
    return SafeText("")


def _about_agent(words: LiteralString, about: AlarmSubject) -> SafeText:
    said = say(words, about.agent)
    return said if about.incident is None else say("{} Incident {}.", said, about.incident)


def _about_device(name: EventName, device: Device) -> SafeText:
    which = say("this device") if device.is_this else say("device {}", device.name)
    return say("{} {}", which, SafeText(_ABOUT_DEVICES.get(name, "changed.")))


def _about_approval(name: EventName, approval: Approval, *, is_narrow: bool) -> SafeText:
    if name is EventName.REQUESTED:
        risk = SafeText(approval.risk.value.upper())
        if is_narrow:
            return say("new {} from {} (added below)", risk, approval.agent.name)
        where = say("(added below; your selection did not move)")
        return say("new {} {} {}", risk, _request(approval), where)
    what = _a_request(approval)
    if name is EventName.DECIDED and (approval.decided or approval.unasked):
        return _decided(approval, what)
    if name in _CLOCKS:
        return say(_CLOCKS[name], what)
    if name is EventName.CANCELLED:
        return say(_CANCELLED.get(approval.reason or "", "{} was withdrawn."), what)
    return _used(approval)


def _decided(approval: Approval, what: SafeText) -> SafeText:
    decided = approval.decided
    if decided is None:
        by = SafeText("consent" if approval.unasked is None else approval.unasked.by)
        return say("{} was approved without asking you, by your {}.", what, by)
    verb = say("approved") if decided.decision is Answer.APPROVE else say("denied")
    said = say("{} {} {}", decided.by_name, verb, what)
    if approval.granted is None or decided.decision is Answer.DENY:
        return said
    return say("{}. {}", said, approval.told_headline)


def _used(approval: Approval) -> SafeText:
    if approval.kind is Kind.DEVICE:
        return say("the new device has signed in.")
    if approval.execution is not None and approval.execution.done is not None:
        word = "was carried out." if approval.execution.done else "failed at its resource."
        return say("{} {}", _a_request(approval), SafeText(word))
    return say("{} collected its token.", approval.agent.name)


def _request(approval: Approval) -> SafeText:
    if approval.kind is Kind.CONSENT:
        return say("consent for {}", approval.agent.name)
    if approval.kind is Kind.STANDING_GRANT:
        return say("standing grant for {}", approval.agent.name)
    if approval.kind is Kind.DEVICE:
        return say("sign-in of a new device")
    if approval.kind is Kind.APP_DEVICE:
        return say("sign-in of {} on a device", approval.agent.name)
    if approval.kind is Kind.APP_ACTION:
        return say("request from the app {}", approval.agent.name)
    return say("request from {}", approval.agent.name)


def _a_request(approval: Approval) -> SafeText:
    if approval.kind is Kind.ACTION:
        return say("a request of {}", approval.agent.name)
    return say("a {}", _request(approval))
