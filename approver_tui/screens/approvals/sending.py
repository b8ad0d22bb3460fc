"""Sends one of several answers and returns its result.

Owns: what each error means for this answer, and for those after it. Never: a thread; guesses: an
answer without confirmation has an unknown outcome.
"""

from dataclasses import dataclass

from approver_tui.client import errors
from approver_tui.client.approvals.decisions import DecisionClient
from approver_tui.screens import refusals
from approver_tui.screens.approvals.reasons import AnswerContext
from approver_tui.screens.panel import Approve, Deny
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.results import Fate, over
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome

_ENDS_ALL = (
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
    fate: Fate
    why: SafeText = SafeText("")  # noqa: RUF009  # a SafeText never changes
    ends_all: bool = False
    """Whether nothing more must be sent after it."""


def send(
    answers: DecisionClient, approval: Approval, answer: Approve | Deny, moment: AnswerContext
) -> SendResult:
    """Approve or deny one request. Blocks."""
    try:
        if isinstance(answer, Approve):
            return SendResult(_approved(answers, approval, answer.pin), Fate.APPROVED)
        done = answers.deny(approval, answer.code, answer.note, answer.aside)
        return SendResult(done, Fate.DENIED)
    except errors.ClientError as error:
        return _not_done(approval, error, moment)


def _approved(answers: DecisionClient, approval: Approval, pin: str | None) -> Approval:
    """Send the PIN with requests that need it themselves; for the others the app is unlocked."""
    own = pin if approval.needs_pin else None
    return answers.approve(approval, fingerprint=approval.fingerprint, pin=own)


def _not_done(approval: Approval, error: errors.ClientError, moment: AnswerContext) -> SendResult:
    ends_all = isinstance(error, _ENDS_ALL)
    match error:
        case errors.AlreadyDecided(approval=winner):
            fate = Fate.ALREADY if winner.decided else over(winner)
            return SendResult(winner, fate, outcome(winner, moment.now, moment.zone))
        case errors.UnknownOutcome() | errors.WireError():
            return SendResult(approval, Fate.UNKNOWN, ends_all=ends_all)
        case errors.Unreachable():
            return SendResult(approval, Fate.NOT_SENT, refusals.problem(error), ends_all)
    return SendResult(approval, Fate.REFUSED, refusals.problem(error), ends_all)
