"""Why an answer cannot be given right now, in words.

Owns: the order in which reasons are looked for. Never: decides for the server, which checks all
of this again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval, Kind, Retry
from approver_tui.state.devices.devices import Device
from approver_tui.state.keymap import AS_THEY_ARE, Keymap
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.lines import say
from approver_tui.widgets.times import clock

ANSWERABLE = SafeText("")

_UNDER_WAY: Mapping[AnswerProgress, SafeText] = {
    AnswerProgress.SENDING: SafeText("your answer is on its way."),
    AnswerProgress.CHECKING: SafeText("it is not known yet whether your answer counted; checking."),
    AnswerProgress.DENYING: SafeText("you are denying it; {take_back} takes that back."),
}


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """When and where the question is asked."""

    now: int
    zone: tzinfo | None
    keys: Keymap = AS_THEY_ARE

    @classmethod
    def at(cls, context: ScreenContext) -> "AnswerContext":
        """Return now, at this desk."""
        return cls(context.now(), context.zone, context.keys)


def why_no_answer(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why neither yes nor no can be said to `approval`; empty if either can."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in state.doing:
        return moment.keys.fill(_UNDER_WAY[state.doing[approval.id]])
    if not approval.is_waiting(moment.now):
        return outcome(approval, moment.now, moment.zone)
    if approval.together is not None and state.has_yes(approval):
        words = approval.together.words
        report = moment.keys.key("report")
        return say("your yes is counted ({}). Not meant? Report it ({}).", words, report)
    return _why_not_now(state, approval)


def why_no_report(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` cannot be reported; what is over can be."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in state.doing:
        return moment.keys.fill(_UNDER_WAY[state.doing[approval.id]])
    return _why_not_now(state, approval)


def why_no_retry(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why the agent of `approval` cannot be asked to ask again; empty if it can."""
    if approval is None:
        return say("nothing is selected.")
    if approval.retry is Retry.ASKED:
        return say("{} is told to ask again already.", approval.agent.name)
    if not approval.is_lapsed(moment.now):
        return say("it is for what expired without an answer.")
    return _why_not_now(state, approval)


def _why_not_now(state: InboxState, approval: Approval) -> SafeText:
    """What stands in the way of sending anything."""
    if state.doubts(approval.id):
        return say("the server's copy of it cannot be verified.")
    return why_not_connected(state)


def why_not_connected(state: InboxState) -> SafeText:
    """Return why the server cannot be told anything; empty if it can."""
    if state.connection.phase is Phase.SIGNED_OUT:
        return say("this device was signed out. Enter signs in again.")
    if not state.connection.is_live:
        return say("there is no connection to the server; trying again.")
    return ANSWERABLE


def why_no_narrowing(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why less than `approval` cannot be approved; empty if it can."""
    reason = why_no_yes(state, approval, moment)
    if reason or approval is None or approval.kind is Kind.ACTION:
        return reason
    return say("only what an agent wants to do can be approved in part.")


def why_no_standing_grant(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why nothing like `approval` can be approved ahead; empty if it can.

    What is over can be an example too.
    """
    if approval is None:
        return say("nothing is selected.")
    if approval.kind is not Kind.ACTION:
        return say("only what an agent wants to do can be approved ahead.")
    if approval.risk is Risk.CRITICAL:
        return say("what is critical is asked each time.")
    reason = why_no_report(state, approval, moment)
    if reason or state.device is None:
        return reason
    return _why_not_on_this_device(state.device, approval, moment)


def why_no_yes(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` cannot be approved; empty if it can."""
    reason = why_no_answer(state, approval, moment)
    if reason or approval is None:
        return reason
    if approval.is_locked:
        return say("too much was typed wrongly, and it is locked for you. You can deny it.")
    if state.device is None:
        return reason
    return _why_not_on_this_device(state.device, approval, moment)


def _why_not_on_this_device(device: Device, approval: Approval, moment: AnswerContext) -> SafeText:
    if device.pin.locked:
        return say("this device is locked after too many wrong PINs. Another device unlocks it.")
    if device.pin.exhausted:
        return say("this PIN had too many tries in its life. Log in again with a new one.")
    if approval.risk.rank >= Risk.HIGH.rank and moment.now < device.high_from:
        since = clock(device.high_from, moment.now, moment.zone)
        return say("this device is new and may approve high risk from {} on.", since)
    return ANSWERABLE
