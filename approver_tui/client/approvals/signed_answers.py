"""Signed answers that were sent, and the outcome of those without a confirmation.

Owns: sending the same bytes again; asking the server until it confirms or rejects them. Never:
signing; reporting that an answer did not arrive while it still may.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from approver_tui.client import errors
from approver_tui.client.api import Client
from approver_tui.state.answer_status import AnswerStatus
from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.ceremony import NO_ENTRIES, Entries, Step
from approver_tui.state.approvals.decision import NO_EXTRAS, Answer, DenialExtras

_STALE = "invalid_decision"
"""The server's code for an answer that is too old or does not match the server's copy."""


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An answer that was signed once; the same bytes are sent each time."""

    approval_id: str
    answer: Answer
    signed: str
    note: str
    granted: str | None = None
    """The granted text, if the answer is narrowed."""
    entries: Entries = NO_ENTRIES
    """The user's entries."""
    extras: DenialExtras = NO_EXTRAS
    """Optional additions to a denial."""
    tries_left: Mapping[Step, int] | None = None
    """The remaining attempts before it was sent."""


class SignedAnswers:
    """The answers of one device. Several threads may use it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._in_doubt: dict[str, SignedAnswer] = {}
        """Answers without a confirmation, by the ID of their approval."""

    def send(self, signed_answer: SignedAnswer) -> Approval:
        """Send an answer and return its outcome. Raises as `check_outcome` does.

        After it was accepted, an earlier unconfirmed answer is not sent again.
        """
        try:
            approval = self._submit(signed_answer)
        except errors.ClientError as error:
            if errors.answer_status(error) is not AnswerStatus.IN_DOUBT:
                raise
            self._in_doubt[signed_answer.approval_id] = signed_answer
            if isinstance(error, errors.WireError):
                raise
            if isinstance(error, errors.Unreachable) and error.is_silent:
                raise errors.UnknownOutcome(
                    signed_answer.approval_id, signed_answer.answer
                ) from error
        else:
            self._forget(signed_answer)
            return approval
        return self.check_outcome(signed_answer.approval_id)

    def check_outcome(self, approval_id: str) -> Approval:
        """Return the outcome of an answer without a confirmation, as the server reports it.

        While the request is open, the same bytes are sent again. They have the same effect, and
        only their response proves that no earlier copy can still arrive. Raises UnknownOutcome if
        the outcome is not known yet, NotRecorded if the server does not have the answer,
        AlreadyDecided if another answer was first, and WrongEntry or ApiError if it was refused.
        """
        signed_answer = self._in_doubt.get(approval_id)
        if signed_answer is None:
            return self._client.approval(approval_id)
        approval = self._fetch_current(signed_answer)
        if approval.state is ApprovalState.PENDING:
            approval = self._resend(signed_answer, approval)
        elif not self._is_recorded_in(approval, signed_answer):
            self._forget(signed_answer)
            raise errors.AlreadyDecided(
                "already_decided", "A different answer was recorded.", approval
            )
        self._forget(signed_answer)
        return approval

    def _submit(self, signed_answer: SignedAnswer) -> Approval:
        return self._client.decide(
            signed_answer.approval_id,
            signed_answer.signed,
            signed_answer.note,
            signed_answer.granted,
            signed_answer.entries,
            signed_answer.extras,
        )

    def _fetch_current(self, signed_answer: SignedAnswer) -> Approval:
        """Return the server's copy. Raises UnknownOutcome if the copy cannot be fetched."""
        try:
            return self._client.approval(signed_answer.approval_id)
        except (errors.Unreachable, errors.ApiError) as error:
            raise errors.UnknownOutcome(signed_answer.approval_id, signed_answer.answer) from error

    def _resend(self, signed_answer: SignedAnswer, approval: Approval) -> Approval:
        """Send the same bytes again, unless a wrong entry was counted, which would count twice."""
        if (wrong_entry := _wrong_entry_since(signed_answer, approval)) is not None:
            self._forget(signed_answer)
            raise wrong_entry
        try:
            return self._submit(signed_answer)
        except (errors.Unreachable, errors.ApiError) as error:
            if errors.answer_status(error) is not AnswerStatus.NOT_RECORDED or isinstance(
                error, errors.LoginFirst
            ):
                raise errors.UnknownOutcome(
                    signed_answer.approval_id, signed_answer.answer
                ) from error
            self._forget(signed_answer)
            if isinstance(error, errors.ApiError) and error.code == _STALE:
                raise errors.NotRecorded(signed_answer.answer) from error
            raise

    def _is_recorded_in(self, approval: Approval, signed_answer: SignedAnswer) -> bool:
        """Whether the answer decided the request, or is a vote that still counts."""
        granted = None if approval.granted is None else approval.granted.text
        if granted != signed_answer.granted:
            return False
        decided, tally = approval.decision, approval.vote_tally
        if (
            decided is not None
            and decided.device_id == self._client.profile.device_id
            and decided.decision is signed_answer.answer
        ):
            return True
        return (
            signed_answer.answer is Answer.APPROVE
            and approval.state is not ApprovalState.DENIED
            and tally is not None
            and tally.counts(self._client.profile.user_id)
        )

    def _forget(self, signed_answer: SignedAnswer) -> None:
        self._in_doubt.pop(signed_answer.approval_id, None)


def _wrong_entry_since(signed_answer: SignedAnswer, approval: Approval) -> errors.WrongEntry | None:
    """Return the error for a wrong entry counted since the answer was signed, if any."""
    before, after = signed_answer.tries_left or {}, approval.tries_left or {}
    for step, tries_left in after.items():
        if tries_left < before.get(step, tries_left):
            members = {"step": step.value, "left": tries_left}
            return errors.WrongEntry("wrong_entry", 403, "The entry does not match.", members)
    return None
