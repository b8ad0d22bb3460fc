"""Sends one of several answers and returns its result.

Owns: what each error means for this answer, and for those after it. Never: threads; guessing. An
answer without confirmation has an unknown outcome.
"""

from dataclasses import dataclass

from approver_tui.client import errors
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.screens import refusals
from approver_tui.screens.approvals.blockers import AnswerContext
from approver_tui.screens.panel import Approve, Deny
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.results import AnswerState, ended_state
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome

_BATCH_STOPPERS = (
    errors.Unreachable,
    errors.UnknownOutcome,
    errors.WireError,
    errors.LoginFirst,
    errors.DeviceLocked,
    errors.WrongPin,
    errors.PinNeeded,
)
"""After these errors nothing more is sent: it would fail too, or cost a PIN attempt."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one answer."""

    approval: Approval
    """The newest copy of its request."""
    state: AnswerState
    reason: SafeText = SafeText("")  # noqa: RUF009  # a SafeText never changes
    stops_batch: bool = False
    """Whether nothing more must be sent after it."""


def send(
    answers: DecisionClient, approval: Approval, answer: Approve | Deny, moment: AnswerContext
) -> SendResult:
    """Approve or deny one request. Blocks."""
    try:
        if isinstance(answer, Approve):
            return SendResult(_approve(answers, approval, answer.pin), AnswerState.APPROVED)
        done = answers.deny(approval, answer.code, answer.note, answer.extras)
        return SendResult(done, AnswerState.DENIED)
    except errors.ClientError as error:
        return _failed_result(approval, error, moment)


def _approve(answers: DecisionClient, approval: Approval, pin: str | None) -> Approval:
    """Send the PIN with requests that need it themselves; for the others the app is unlocked."""
    own = pin if approval.needs_pin else None
    return answers.approve(approval, fingerprint=approval.fingerprint, pin=own)


def _failed_result(
    approval: Approval, error: errors.ClientError, moment: AnswerContext
) -> SendResult:
    stops_batch = isinstance(error, _BATCH_STOPPERS)
    match error:
        case errors.AlreadyDecided(approval=winner):
            state = AnswerState.ALREADY if winner.decided else ended_state(winner)
            return SendResult(winner, state, outcome(winner, moment.now, moment.zone))
        case errors.UnknownOutcome() | errors.WireError():
            return SendResult(approval, AnswerState.UNKNOWN, stops_batch=stops_batch)
        case errors.Unreachable():
            return SendResult(approval, AnswerState.NOT_SENT, refusals.problem(error), stops_batch)
    return SendResult(approval, AnswerState.REFUSED, refusals.problem(error), stops_batch)
