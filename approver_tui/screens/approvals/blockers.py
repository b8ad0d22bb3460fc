"""Why an answer is unavailable now, in words.

Owns: the order of the checks. Never: deciding for the server, which checks all of this again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval, Kind, Retry
from approver_tui.state.devices.devices import Device
from approver_tui.state.keymap import DEFAULT_KEYMAP, Keymap
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import clock

NO_BLOCKER = SafeText("")

_IN_PROGRESS_TEXTS: Mapping[AnswerProgress, SafeText] = {
    AnswerProgress.SENDING: SafeText("your answer is being sent."),
    AnswerProgress.CHECKING: SafeText("checking whether your answer was recorded."),
    AnswerProgress.DENYING: SafeText("you are denying it; {undo} undoes that."),
}


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """When and where the check is made."""

    now: int
    zone: tzinfo | None
    keys: Keymap = DEFAULT_KEYMAP

    @classmethod
    def at(cls, context: ScreenContext) -> "AnswerContext":
        """Return the context of this moment."""
        return cls(context.now(), context.zone, context.keys)


def answer_blocker(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` can neither be approved nor denied, or an empty text."""
    if approval is None:
        return fmt("nothing is selected.")
    if approval.id in state.in_progress:
        return moment.keys.fill(_IN_PROGRESS_TEXTS[state.in_progress[approval.id]])
    if not approval.is_waiting(moment.now):
        return outcome(approval, moment.now, moment.zone)
    if approval.vote_tally is not None and state.has_approved(approval):
        words, key = approval.vote_tally.words, moment.keys.key("withdraw")
        return fmt("your approval is counted ({}). {} withdraws it.", words, key)
    return _send_blocker(state, approval)


def report_blocker(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why `approval` cannot be reported; a past request can be."""
    if approval is None:
        return fmt("nothing is selected.")
    if approval.id in state.in_progress:
        return moment.keys.fill(_IN_PROGRESS_TEXTS[state.in_progress[approval.id]])
    return _send_blocker(state, approval)


def withdrawal_blocker(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why the user's approval cannot be withdrawn, or an empty text."""
    if approval is None or not approval.is_waiting(moment.now) or not state.has_approved(approval):
        return fmt("only for requests that you approved and that wait for others.")
    return report_blocker(state, approval, moment)


def retry_blocker(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why the agent of `approval` cannot be asked to retry, or an empty text."""
    if approval is None:
        return fmt("nothing is selected.")
    if approval.retry is Retry.ASKED:
        return fmt("{} was already asked to retry.", approval.agent.name)
    if not approval.is_expired(moment.now):
        return fmt("only for requests that expired.")
    return _send_blocker(state, approval)


def _send_blocker(state: InboxState, approval: Approval) -> SafeText:
    """Return why nothing can be sent for `approval`."""
    if state.is_unverified(approval.id):
        return fmt("the server's copy of this request cannot be verified.")
    return connection_blocker(state)


def connection_blocker(state: InboxState) -> SafeText:
    """Return why nothing can be sent to the server, or an empty text."""
    if state.connection.phase is Phase.SIGNED_OUT:
        return fmt("this device was signed out. Press Enter to sign in.")
    if not state.connection.is_live:
        return fmt("no connection to the server; reconnecting.")
    return NO_BLOCKER


def narrowing_blocker(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why `approval` cannot be narrowed, or an empty text."""
    reason = approval_blocker(state, approval, moment)
    if reason or approval is None or approval.kind is Kind.ACTION:
        return reason
    return fmt("only agent actions can be approved with limits.")


def standing_grant_blocker(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why `approval` cannot be the example of a standing grant, or an empty text.

    A past request can be one.
    """
    if approval is None:
        return fmt("nothing is selected.")
    if approval.kind is not Kind.ACTION:
        return fmt("only agent actions can have a standing grant.")
    if approval.risk is Risk.CRITICAL:
        return fmt("critical requests are asked each time.")
    reason = report_blocker(state, approval, moment)
    if reason or state.device is None:
        return reason
    return _device_blocker(state.device, approval, moment)


def approval_blocker(
    state: InboxState, approval: Approval | None, moment: AnswerContext
) -> SafeText:
    """Return why `approval` cannot be approved, or an empty text."""
    reason = answer_blocker(state, approval, moment)
    if reason or approval is None:
        return reason
    if approval.is_locked:
        return fmt("too many wrong entries: it is locked for you. You can deny it.")
    if state.device is None:
        return reason
    return _device_blocker(state.device, approval, moment)


def _device_blocker(device: Device, approval: Approval, moment: AnswerContext) -> SafeText:
    if device.pin.locked:
        return fmt(
            "this device is locked after too many wrong PINs. Unlock it from another device."
        )
    if device.pin.exhausted:
        return fmt("this PIN has had too many wrong attempts. Log in again with a new one.")
    if approval.risk.rank >= Risk.HIGH.rank and moment.now < device.high_from:
        since = clock(device.high_from, moment.now, moment.zone)
        return fmt("this device is new and can approve high risk from {}.", since)
    return NO_BLOCKER
