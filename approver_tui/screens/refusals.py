"""Turns client errors into messages for the user.

Owns: the wording, as safe text. Never: deciding which errors close a panel.
"""

from approver_tui.client import errors
from approver_tui.screens.context import ScreenContext
from approver_tui.state.answer_status import AnswerStatus, answer_message
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe, pluralize
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.lines import fmt

_MAX_DETAIL_LENGTH = 200
_MESSAGES: dict[type[errors.ClientError], SafeText] = {
    errors.PinNeeded: SafeText("The app is locked. Type your PIN."),
    errors.DeviceLocked: SafeText("This device is locked after too many wrong PINs."),
    errors.RequestLocked: SafeText("This request is locked after two wrong entries."),
    errors.LoginFirst: SafeText(
        "This device is signed out. In the inbox, press Enter to sign in again."
    ),
    errors.Unreachable: SafeText("The server did not respond."),
}
_OUTCOME_UNKNOWN = SafeText("The outcome is unknown. Check again.")


def answer_problem(error: errors.ClientError, *, done: SafeText) -> SafeText:
    """Return what went wrong with an answer, followed by `done`, which states the result."""
    if errors.answer_status(error) is AnswerStatus.NOT_SENT:
        return fmt("{} {}", answer_message(AnswerStatus.NOT_SENT), done)
    return fmt("{} {}", problem(error), done)


def change_problem(error: errors.ClientError, *, done: SafeText) -> SafeText:
    """Return why a change failed, followed by `done`, which says that nothing happened.

    If the outcome is unknown, the message says so instead, as the change may still happen.
    """
    if isinstance(error, errors.NotRecorded):
        return problem(error)
    is_known = errors.answer_status(error) is not AnswerStatus.IN_DOUBT
    return (
        answer_problem(error, done=done)
        if is_known
        else fmt("{} {}", problem(error), _OUTCOME_UNKNOWN)
    )


def already_decided(winner: Approval, context: ScreenContext) -> SafeText:
    """Return who decided first, or how the request ended without a decision."""
    outcome_text = outcome(winner, context.now(), context.zone)
    return fmt("Already decided. {}", outcome_text) if winner.decision else outcome_text


def problem(error: errors.ClientError) -> SafeText:
    """Return what went wrong, in one or two sentences."""
    match error:
        case errors.WrongPin(left=left):
            return fmt("Wrong PIN. {} left.", pluralize(left, "attempt"))
        case errors.WrongEntry(left=left):
            return fmt("Doesn't match. {} left.", pluralize(left, "attempt"))
        case errors.ApiError(detail=detail) if type(error) is errors.ApiError:
            has_failed = errors.answer_status(error) is AnswerStatus.IN_DOUBT
            verb = fmt("failed") if has_failed else fmt("refused")
            return fmt("The server {}: {}", verb, display_safe(detail, max_len=_MAX_DETAIL_LENGTH))
    for kind, text in _MESSAGES.items():
        if isinstance(error, kind):
            return text
    return display_safe(str(error), max_len=_MAX_DETAIL_LENGTH)
