"""Turns each event of the feed into a line of news.

Owns: the wording. Never: showing an agent's own words; only registered names and our text.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import LiteralString

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.countdown import CountdownStage
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.events import AlarmSubject, Event, EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import short_clock

_DEVICE_TEXTS = {
    EventName.DEVICE_ENROLLED: "was added to your account. Not you? Revoke it.",
    EventName.DEVICE_REVOKED: "was revoked.",
    EventName.DEVICE_LOCKED: "is locked after too many wrong PINs.",
    EventName.DEVICE_UNLOCKED: "was unlocked.",
    EventName.DEVICE_VOUCHED: "can now approve high risk.",
    EventName.DEVICE_UNREACHED: (
        "no longer gets notifications. To turn them on again, open Sayso there."
    ),
}
ALARMS = {
    EventName.CODE_REUSED: "ALARM: a one-time code was used a second time.",
    EventName.REFRESH_REUSED: "ALARM: an old session of yours was used again.",
    EventName.PASSKEY_COUNTER: "ALARM: a copy of one of your passkeys may be in use. Remove it.",
    EventName.EXECUTION_DIFFERED: "ALARM: a resource did something other than what you approved.",
    EventName.INCIDENT_OPENED: "ALARM: someone reported your agent; it is quarantined.",
    EventName.AGENT_PAUSED: "Your agent was denied repeatedly and must wait.",
    EventName.AGENT_ORPHANED: "An agent has no owner. Assign one.",
    EventName.AGENT_QUARANTINED: "ALARM: an agent without an owner is quarantined.",
}
"""The text of each alarm."""
URGENT_EVENTS = frozenset({*ALARMS, EventName.DEVICE_UNREACHED})
"""Events that are announced immediately, before other news."""
_AGENT_TEXTS = {
    EventName.AGENT_RENAMED: "Your agent has a new name: {}.",
    EventName.AGENT_ICON: "Your agent {} has a new icon, which users see in their browsers.",
    EventName.INCIDENT_OPENED: "ALARM: your agent {} was reported and is quarantined.",
    EventName.AGENT_PAUSED: "Your agent {} was denied repeatedly and must wait.",
    EventName.AGENT_ORPHANED: "The agent {} has no owner. Assign one.",
    EventName.AGENT_QUARANTINED: "ALARM: the agent {} has no owner and is quarantined.",
}
"""The text of events for which the server names the agent."""
_TEXTS = {
    **ALARMS,
    EventName.AGENT_RENAMED: "your agent has a new name.",
    EventName.AGENT_ICON: "your agent has a new icon.",
    EventName.DIGEST: "requests that were held back are now waiting for you.",
    EventName.DEPUTY_NAMED: "a deputy was added, for you or for someone else.",
    EventName.DEPUTY_ENDED: "a deputy's period has ended.",
    EventName.GRANT_GIVEN: "your standing grant is active.",
    EventName.GRANT_ENDED: "your standing grant has ended.",
}
"""The text of events whose device or request is not shown."""
_CANCELED_TEXTS = {
    "withdrawn": "{} is no longer needed.",
    "superseded": "{} was replaced by a newer request.",
}
"""The text for a canceled request, by reason."""
_REQUEST_TEXTS = {
    EventName.VOTED: "one of several approvers approved {}.",
    EventName.VOTE_WITHDRAWN: "an approval of {} no longer counts.",
    EventName.EXTENDED: "{} has more time.",
    EventName.RETRY_ASKED: "{} expired, and its agent was asked to retry.",
    EventName.REMINDER: "{} is still waiting for your answer.",
    EventName.EXPIRED: "{} expired. This isn't a denial.",
}
_REQUEST_NOUNS: Mapping[Kind, LiteralString] = {
    Kind.CONSENT: "consent for {}",
    Kind.STANDING_GRANT: "standing grant for {}",
    Kind.DEVICE: "sign-in of a new device",
    Kind.APP_DEVICE: "sign-in of {} on a device",
    Kind.APP_ACTION: "request from the app {}",
}
"""The noun for each kind; others are a request from an agent."""


def event_text(event: Event, zone: tzinfo | None) -> SafeText:
    """Return the line for an event; empty if the event has none."""
    text = _text(event)
    return fmt("{} {}", short_clock(event.at, zone), text) if text else text


def ending_soon(stage: CountdownStage, approvals: Sequence[Approval]) -> SafeText:
    """Return the line for requests that end soon."""
    first = approvals[0].headline
    if len(approvals) == 1:
        return fmt("{} s left: {}", stage, first)
    return fmt("{} s left for {} requests. First: {}", stage, len(approvals), first)


def _text(event: Event) -> SafeText:
    if event.about is not None and event.name in _AGENT_TEXTS:
        return _agent_text(_AGENT_TEXTS[event.name], event.about)
    if event.name in _TEXTS:
        return SafeText(_TEXTS[event.name])
    if event.device is not None:
        return _device_text(event.name, event.device)
    if event.approval is not None:
        return _approval_text(event.name, event.approval)
    return SafeText("")


def _agent_text(words: LiteralString, about: AlarmSubject) -> SafeText:
    sentence = fmt(words, about.agent)
    return sentence if about.incident is None else fmt("{} Incident {}.", sentence, about.incident)


def _device_text(name: EventName, device: Device) -> SafeText:
    name_text = fmt("this device") if device.is_this else fmt("device {}", device.name)
    return fmt("{} {}", name_text, SafeText(_DEVICE_TEXTS.get(name, "changed.")))


def _approval_text(name: EventName, approval: Approval) -> SafeText:
    if name is EventName.REQUESTED:
        risk = SafeText(approval.risk.value.upper())
        return fmt("new {} {}, at the end of the list", risk, _request_noun(approval))
    request = _request_with_article(approval)
    if name is EventName.DECIDED and (approval.decision or approval.automatic_decision):
        return _decision_text(approval, request)
    if name in _REQUEST_TEXTS:
        return fmt(_REQUEST_TEXTS[name], request)
    if name is EventName.CANCELLED:
        return fmt(_CANCELED_TEXTS.get(approval.reason or "", "{} was withdrawn."), request)
    return _use_text(approval)


def _decision_text(approval: Approval, request: SafeText) -> SafeText:
    decided = approval.decision
    if decided is None:
        basis = SafeText(
            "consent"
            if approval.automatic_decision is None
            else approval.automatic_decision.kind_text
        )
        return fmt("{} was approved under your {}, without asking you.", request, basis)
    verb = fmt("approved") if decided.decision is Answer.APPROVE else fmt("denied")
    sentence = fmt("{} {} {}", decided.by_name, verb, request)
    if approval.granted is None or decided.decision is Answer.DENY:
        return sentence
    return fmt("{}. {}", sentence, approval.outcome_headline)


def _use_text(approval: Approval) -> SafeText:
    if approval.kind is Kind.DEVICE:
        return fmt("the new device has signed in.")
    if approval.execution is not None and approval.execution.succeeded is not None:
        word = "was carried out." if approval.execution.succeeded else "failed at the resource."
        return fmt("{} {}", _request_with_article(approval), SafeText(word))
    return fmt("{} collected its token.", approval.agent.name)


def _request_noun(approval: Approval) -> SafeText:
    if noun := _REQUEST_NOUNS.get(approval.kind):
        return fmt(noun, approval.agent.name)
    return fmt("request from {}", approval.agent.asks_as)


def _request_with_article(approval: Approval) -> SafeText:
    if approval.kind is Kind.ACTION:
        return fmt("a request from {}", approval.agent.name)
    return fmt("a {}", _request_noun(approval))
