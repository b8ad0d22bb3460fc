"""Messages that say why an answer is unavailable now.

Owns: the order of the checks. Never: replacing the checks of the server, which repeats all of them.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval, Kind, Retry
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.approvals.rows import AnswerProgress
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import clock

NO_BLOCKER = SafeText("")
Blocker: TypeAlias = Callable[[InboxState, Approval | None, ScreenContext], SafeText]
"""Returns why something is unavailable for a request; empty if it is available."""

_IN_PROGRESS_TEXTS: Mapping[AnswerProgress, SafeText] = {
    AnswerProgress.SENDING: SafeText("your answer is being sent."),
    AnswerProgress.CHECKING: SafeText("checking whether your answer was recorded."),
    AnswerProgress.DENYING: SafeText("you are denying it; {undo} undoes that."),
}


def answer_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why `approval` can neither be approved nor denied; empty if it can be answered."""
    if approval is None:
        return fmt("nothing is selected.")
    if approval.id in state.in_progress:
        return context.keys.fill(_IN_PROGRESS_TEXTS[state.in_progress[approval.id]])
    if not approval.is_waiting(context.now()):
        return outcome(approval, context.now(), context.zone)
    if approval.vote_tally is not None and state.has_approved(approval):
        words, key = approval.vote_tally.words, context.keys.key("withdraw")
        return fmt("you already approved it ({}). {} withdraws your approval.", words, key)
    return _send_blocker(state, approval)


def report_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why `approval` cannot be reported; empty if it can. Past requests can be reported."""
    if approval is None:
        return fmt("nothing is selected.")
    if approval.id in state.in_progress:
        return context.keys.fill(_IN_PROGRESS_TEXTS[state.in_progress[approval.id]])
    return _send_blocker(state, approval)


def withdrawal_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why the user's approval cannot be withdrawn; empty if it can."""
    if (
        approval is None
        or not approval.is_waiting(context.now())
        or not state.has_approved(approval)
    ):
        return fmt("only for requests that you approved and that still need others.")
    return report_blocker(state, approval, context)


def retry_blocker(state: InboxState, approval: Approval | None, context: ScreenContext) -> SafeText:
    """Return why the agent of `approval` cannot be asked to retry; empty if it can."""
    if approval is None:
        return fmt("nothing is selected.")
    if approval.retry is Retry.ASKED:
        return fmt("{} was already asked to retry.", approval.agent.name)
    if not approval.is_expired(context.now()):
        return fmt("only for requests that expired.")
    return _send_blocker(state, approval)


def _send_blocker(state: InboxState, approval: Approval) -> SafeText:
    """Return why nothing can be sent for `approval`; empty if something can."""
    if state.is_unverified(approval.id):
        return fmt("the server's copy of this request cannot be verified.")
    return connection_blocker(state)


def connection_blocker(state: InboxState) -> SafeText:
    """Return why nothing can be sent to the server; empty if something can."""
    if state.connection.phase is Phase.SIGNED_OUT:
        return fmt("this device was signed out. Press Enter to sign in.")
    if not state.connection.is_live:
        return fmt("no connection to the server; reconnecting.")
    return NO_BLOCKER


def narrowing_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why `approval` cannot be narrowed; empty if it can."""
    reason = approval_blocker(state, approval, context)
    if reason or approval is None or approval.kind is Kind.ACTION:
        return reason
    return fmt("only agent actions can be approved with limits.")


def standing_grant_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why `approval` cannot be the example of a standing grant; empty if it can.

    A past request can be the example.
    """
    if approval is None:
        return fmt("nothing is selected.")
    if approval.kind is not Kind.ACTION:
        return fmt("only agent actions can have a standing grant.")
    if approval.risk is Risk.CRITICAL:
        return fmt("critical requests cannot have a standing grant.")
    reason = report_blocker(state, approval, context)
    if reason or state.device is None:
        return reason
    return _device_blocker(state.device, approval, context)


def approval_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why `approval` cannot be approved; empty if it can."""
    reason = answer_blocker(state, approval, context)
    if reason or approval is None:
        return reason
    if approval.is_locked:
        return fmt("too many wrong entries: it is locked for you. You can deny it.")
    if state.device is None:
        return reason
    return _device_blocker(state.device, approval, context)


def _device_blocker(device: Device, approval: Approval, context: ScreenContext) -> SafeText:
    if device.pin.locked:
        return fmt(
            "this device is locked after wrong PINs. Another device or an administrator can "
            "unlock it."
        )
    if device.pin.exhausted:
        return fmt("this PIN has had too many wrong attempts. Log in again with a new one.")
    if approval.risk.rank >= Risk.HIGH.rank and context.now() < device.high_from:
        since = clock(device.high_from, context.now(), context.zone)
        return fmt("this device is new. It can approve high risk from {}.", since)
    return NO_BLOCKER


BLOCKERS: Mapping[str, Blocker] = {
    "approve": approval_blocker,
    "deny": answer_blocker,
    "narrow": narrowing_blocker,
    "standing_grant": standing_grant_blocker,
    "report": report_blocker,
    "open_on_phone": answer_blocker,
    "extend": answer_blocker,
    "withdraw": withdrawal_blocker,
    "retry": retry_blocker,
    "snooze": answer_blocker,
    "mute": answer_blocker,
}
"""The check for each action in KEYS that concerns a request in the inbox."""
