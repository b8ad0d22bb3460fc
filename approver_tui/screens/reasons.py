"""Why an answer cannot be given right now, in words.

Owns: the order in which reasons are looked for. Never: decides for the server, which checks all
of this again.
"""

from dataclasses import dataclass
from datetime import tzinfo

from approver_tui.screens.table import Table
from approver_tui.state.approvals import Approval, Risk
from approver_tui.state.devices import Device
from approver_tui.state.text import SafeText
from approver_tui.widgets.facts import outcome
from approver_tui.widgets.lines import say
from approver_tui.widgets.rows import Doing
from approver_tui.widgets.times import clock

ANSWERABLE = SafeText("")

_UNDER_WAY = {
    Doing.SENDING: SafeText("your answer is on its way."),
    Doing.CHECKING: SafeText("it is not known yet whether your answer counted; checking."),
    Doing.DENYING: SafeText("you are denying it; u takes that back."),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where the question is asked."""

    now: int
    zone: tzinfo | None


def why_no_answer(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why neither yes nor no can be said to `approval`; empty if either can."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in table.doing:
        return _UNDER_WAY[table.doing[approval.id]]
    if not approval.is_waiting(moment.now):
        return outcome(approval, moment.now, moment.zone)
    if table.doubts(approval.id):
        return say("the server's copy of it cannot be verified.")
    if not table.connection.is_live:
        return say("there is no connection to the server; trying again.")
    return ANSWERABLE


def why_no_yes(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why `approval` cannot be approved; empty if it can."""
    reason = why_no_answer(table, approval, moment)
    if reason or approval is None or table.device is None:
        return reason
    return _why_not_on_this_device(table.device, approval, moment)


def _why_not_on_this_device(device: Device, approval: Approval, moment: Moment) -> SafeText:
    if device.pin.locked:
        return say("this device is locked after too many wrong PINs. Another device unlocks it.")
    if device.pin.exhausted:
        return say("this PIN had too many tries in its life. Log in again with a new one.")
    if approval.risk.rank >= Risk.HIGH.rank and moment.now < device.high_from:
        since = clock(device.high_from, moment.now, moment.zone)
        return say("this device is new and may approve high risk from {} on.", since)
    return ANSWERABLE
