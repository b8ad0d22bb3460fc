"""Why an answer is unavailable now, in words.

Owns: the order of the checks. Never: decides for the server, which checks all of this again.
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
    AnswerProgress.SENDING: SafeText("your answer is being sent."),
    AnswerProgress.CHECKING: SafeText("checking whether your answer was recorded."),
    AnswerProgress.DENYING: SafeText("you are denying it; {take_back} undoes that."),
}


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """When and where the check is made."""

    now: int
    zone: tzinfo | None
    keys: Keymap = AS_THEY_ARE

    @classmethod
    def at(cls, context: ScreenContext) -> "AnswerContext":
        """Return the context of this moment."""
        return cls(context.now(), context.zone, context.keys)


def why_no_answer(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` can neither be approved nor denied, or an empty text."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in state.doing:
        return moment.keys.fill(_UNDER_WAY[state.doing[approval.id]])
    if not approval.is_waiting(moment.now):
        return outcome(approval, moment.now, moment.zone)
    if approval.together is not None and state.has_yes(approval):
        words = approval.together.words
        report = moment.keys.key("report")
        return say("your approval is counted ({}). A mistake? Report it ({}).", words, report)
    return _why_not_now(state, approval)


def why_no_report(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` cannot be reported; a past request can be."""
    if approval is None:
        return say("nothing is selected.")
    if approval.id in state.doing:
        return moment.keys.fill(_UNDER_WAY[state.doing[approval.id]])
    return _why_not_now(state, approval)


def why_no_retry(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why the agent of `approval` cannot be asked to retry, or an empty text."""
    if approval is None:
        return say("nothing is selected.")
    if approval.retry is Retry.ASKED:
        return say("{} was already asked to retry.", approval.agent.name)
    if not approval.is_lapsed(moment.now):
        return say("only for requests that expired.")
    return _why_not_now(state, approval)


def _why_not_now(state: InboxState, approval: Approval) -> SafeText:
    """Return why nothing can be sent for `approval`."""
    if state.doubts(approval.id):
        return say("the server's copy of this request cannot be verified.")
    return why_not_connected(state)


def why_not_connected(state: InboxState) -> SafeText:
    """Return why nothing can be sent to the server, or an empty text."""
    if state.connection.phase is Phase.SIGNED_OUT:
        return say("this device was signed out. Press Enter to sign in.")
    if not state.connection.is_live:
        return say("no connection to the server; reconnecting.")
    return ANSWERABLE


def why_no_narrowing(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why `approval` cannot be narrowed, or an empty text."""
    reason = why_no_yes(state, approval, moment)
    if reason or approval is None or approval.kind is Kind.ACTION:
        return reason
    return say("only agent actions can be approved with limits.")


def why_no_standing_grant(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why `approval` cannot be the example of a standing grant, or an empty text.

    A past request can be one.
    """
    if approval is None:
        return say("nothing is selected.")
    if approval.kind is not Kind.ACTION:
        return say("only agent actions can have a standing grant.")
    if approval.risk is Risk.CRITICAL:
        return say("critical requests are asked each time.")
    reason = why_no_report(state, approval, moment)
    if reason or state.device is None:
        return reason
    return _why_not_on_this_device(state.device, approval, moment)


def why_no_yes(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` cannot be approved, or an empty text."""
    reason = why_no_answer(state, approval, moment)
    if reason or approval is None:
        return reason
    if approval.is_locked:
        return say("too many wrong entries: it is locked for you. You can deny it.")
    if state.device is None:
        return reason
    return _why_not_on_this_device(state.device, approval, moment)


def _why_not_on_this_device(device: Device, approval: Approval, moment: AnswerContext) -> SafeText:
    if device.pin.locked:
        return say(
            "this device is locked after too many wrong PINs. Unlock it from another device."
        )
    if device.pin.exhausted:
        return say("this PIN has had too many wrong attempts. Log in again with a new one.")
    if approval.risk.rank >= Risk.HIGH.rank and moment.now < device.high_from:
        since = clock(device.high_from, moment.now, moment.zone)
        return say("this device is new and can approve high risk from {}.", since)
    return ANSWERABLE
