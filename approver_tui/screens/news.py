"""What the feed reports, as one line for the status.

Owns: the wording. Never: an agent's own words; only registered names and our words.
"""

from datetime import tzinfo

from approver_tui.state.approvals import Approval, Kind
from approver_tui.state.decision import Answer
from approver_tui.state.devices import Device
from approver_tui.state.events import Event, EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import short_clock

_ABOUT_DEVICES = {
    EventName.DEVICE_ENROLLED: "was added to your account. Not you? Revoke it.",
    EventName.DEVICE_REVOKED: "was signed out for good.",
    EventName.DEVICE_LOCKED: "is locked after too many wrong PINs.",
    EventName.DEVICE_UNLOCKED: "was unlocked.",
    EventName.DEVICE_VOUCHED: "may approve high risk from now on.",
}
_ALARMS = {
    EventName.CODE_REUSED: "ALARM: a one-time code was used a second time.",
    EventName.REFRESH_REUSED: "ALARM: an old sign-in of yours was used again.",
    EventName.INCIDENT_OPENED: "ALARM: somebody reported an agent of yours; it is stopped.",
}


def news(event: Event, zone: tzinfo | None, *, is_narrow: bool) -> SafeText:
    """Return the line for an event; empty if it is not worth one."""
    text = _text(event, is_narrow=is_narrow)
    return say("{} {}", short_clock(event.at, zone), text) if text else text


def _text(event: Event, *, is_narrow: bool) -> SafeText:
    if event.name in _ALARMS:
        return SafeText(_ALARMS[event.name])
    if event.device is not None:
        return _about_device(event.name, event.device)
    if event.approval is not None:
        return _about_approval(event.name, event.approval, is_narrow=is_narrow)
    return SafeText("")


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
    if name is EventName.DECIDED and approval.decided is not None:
        decided = approval.decided
        verb = say("approved") if decided.decision is Answer.APPROVE else say("denied")
        return say("{} {} {}", decided.by_name, verb, what)
    if name is EventName.EXPIRED:
        return say("{} expired. That is not a denial.", what)
    if name is EventName.CANCELLED:
        said = "{} is no longer needed." if approval.is_taken_back else "{} was withdrawn."
        return say(said, what)
    return _used(approval)


def _used(approval: Approval) -> SafeText:
    if approval.kind is Kind.DEVICE:
        return say("the new device has signed in.")
    return say("{} collected its token.", approval.agent.name)


def _request(approval: Approval) -> SafeText:
    if approval.kind is Kind.CONSENT:
        return say("consent for {}", approval.agent.name)
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
