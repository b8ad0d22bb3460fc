"""Why an answer cannot be given right now, in words.

Owns: the order in which reasons are looked for. Never: decides for the server, which checks all
of this again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from approver_tui.screens.desk import Desk
from approver_tui.screens.table import Table
from approver_tui.state.approvals import Approval, Kind, Retry
from approver_tui.state.connection import Phase
from approver_tui.state.devices import Device
from approver_tui.state.keymap import AS_THEY_ARE, Keymap
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.records import outcome
from approver_tui.widgets.rows import Doing
from approver_tui.widgets.times import clock

ANSWERABLE = SafeText("")

_UNDER_WAY: Mapping[Doing, SafeText] = {
    Doing.SENDING: SafeText("your answer is on its way."),
    Doing.CHECKING: SafeText("it is not known yet whether your answer counted; checking."),
    Doing.DENYING: SafeText("you are denying it; {take_back} takes that back."),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where the question is asked."""

    now: int
    zone: tzinfo | None
    keys: Keymap = AS_THEY_ARE

    @classmethod
    def at(cls, desk: Desk) -> "Moment":
        """Return now, at this desk."""
        return cls(desk.now(), desk.zone, desk.keys)


def why_no_answer(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why neither yes nor no can be said to `approval`; empty if either can."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in table.doing:
        return moment.keys.fill(_UNDER_WAY[table.doing[approval.id]])
    if not approval.is_waiting(moment.now):
        return outcome(approval, moment.now, moment.zone)
    if approval.together is not None and table.has_yes(approval):
        words = approval.together.words
        report = moment.keys.key("report")
        return say("your yes is counted ({}). Not meant? Report it ({}).", words, report)
    return _why_not_now(table, approval)


def why_no_report(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why `approval` cannot be reported; what is over can be."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in table.doing:
        return moment.keys.fill(_UNDER_WAY[table.doing[approval.id]])
    return _why_not_now(table, approval)


def why_no_retry(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why the agent of `approval` cannot be asked to ask again; empty if it can."""
    if approval is None:
        return say("nothing is selected.")
    if approval.retry is Retry.ASKED:
        return say("{} is told to ask again already.", approval.agent.name)
    if not approval.is_lapsed(moment.now):
        return say("it is for what expired without an answer.")
    return _why_not_now(table, approval)


def _why_not_now(table: Table, approval: Approval) -> SafeText:
    """What stands in the way of sending anything."""
    if table.doubts(approval.id):
        return say("the server's copy of it cannot be verified.")
    return why_not_connected(table)


def why_not_connected(table: Table) -> SafeText:
    """Return why the server cannot be told anything; empty if it can."""
    if table.connection.phase is Phase.SIGNED_OUT:
        return say("this device was signed out. Enter signs in again.")
    if not table.connection.is_live:
        return say("there is no connection to the server; trying again.")
    return ANSWERABLE


def why_no_less(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why less than `approval` cannot be approved; empty if it can."""
    reason = why_no_yes(table, approval, moment)
    if reason or approval is None or approval.kind is Kind.ACTION:
        return reason
    return say("only what an agent wants to do can be approved in part.")


def why_no_similar(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why nothing like `approval` can be approved ahead; empty if it can.

    What is over can be an example too.
    """
    if approval is None:
        return say("nothing is selected.")
    if approval.kind is not Kind.ACTION:
        return say("only what an agent wants to do can be approved ahead.")
    if approval.risk is Risk.CRITICAL:
        return say("what is critical is asked each time.")
    reason = why_no_report(table, approval, moment)
    if reason or table.device is None:
        return reason
    return _why_not_on_this_device(table.device, approval, moment)


def why_no_yes(table: Table, approval: Approval | None, moment: Moment) -> SafeText:
    """Return why `approval` cannot be approved; empty if it can."""
    reason = why_no_answer(table, approval, moment)
    if reason or approval is None:
        return reason
    if approval.is_locked:
        return say("too much was typed wrongly, and it is locked for you. You can deny it.")
    if table.device is None:
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
