"""The outcome of each of several answers, as far as it is known.

Owns: the list, one entry per request; how the server's copy resolves an unknown outcome. Never:
guessing; what is not known is shown as unknown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import SafeText


class AnswerState(StrEnum):
    """The state of one answer; the values are shown in the list."""

    WAITING = "waiting"
    """The answer has not been sent yet."""
    SENDING = "sending"
    APPROVED = "approved"
    DENIED = "denied"
    ALREADY = "already decided"
    """Someone else answered first: this answer is skipped, which is not a failure."""
    EXPIRED = "expired"
    ENDED = "ended"
    """The request ended without an answer before its expiry."""
    REFUSED = "refused"
    """The server, or this program, refused the answer."""
    NOT_SENT = "not sent"
    """Nothing was sent; the request is still open."""
    NOT_RECORDED = "not recorded"
    """The answer was sent, but the server has not recorded it; the request is still open."""
    UNKNOWN = "being checked"
    """The answer was sent, and no confirmation arrived."""


_ANSWER_STATES = {Answer.APPROVE: AnswerState.APPROVED, Answer.DENY: AnswerState.DENIED}
_OPEN_STATES = frozenset({AnswerState.WAITING, AnswerState.SENDING})


@dataclass(frozen=True, slots=True)
class Result:
    """The newest known copy of a request, and the outcome of its answer."""

    approval: Approval
    state: AnswerState = AnswerState.WAITING
    reason: SafeText = SafeText("")  # noqa: RUF009  # a SafeText never changes
    """The explanation shown next to the state."""


@dataclass(frozen=True, slots=True)
class Results:
    """The list, in the order of sending."""

    answer: Answer
    items: tuple[Result, ...]

    @classmethod
    def before_sending(cls, answer: Answer, approvals: Iterable[Approval]) -> "Results":
        """Return the list before anything is sent."""
        return cls(answer, tuple(Result(approval) for approval in approvals))

    @property
    def is_complete(self) -> bool:
        """Whether nothing more will be sent."""
        return not any(item.state in _OPEN_STATES for item in self.items)

    @property
    def unknown_ids(self) -> tuple[str, ...]:
        """The IDs of requests with an unknown outcome."""
        return tuple(item.approval.id for item in self.items if item.state is AnswerState.UNKNOWN)

    @property
    def counts(self) -> Mapping[AnswerState, int]:
        """The number of each outcome, in order."""
        by_state = Counter(item.state for item in self.items)
        return {state: by_state[state] for state in AnswerState if by_state[state]}

    def with_state(
        self,
        approval_id: str,
        state: AnswerState,
        reason: SafeText = SafeText(""),  # noqa: B008  # a SafeText never changes
        copy: Approval | None = None,
    ) -> "Results":
        """Return the list with one entry updated; `copy` is a newer copy of the request."""
        items = tuple(
            Result(copy or item.approval, state, reason)
            if item.approval.id == approval_id
            else item
            for item in self.items
        )
        return replace(self, items=items)

    def with_rest_stopped(self, reason: SafeText) -> "Results":
        """Return the list with every waiting answer marked as not sent."""
        items = tuple(
            replace(item, state=AnswerState.NOT_SENT, reason=reason)
            if item.state is AnswerState.WAITING
            else item
            for item in self.items
        )
        return replace(self, items=items)


def answer_state(
    copy: Approval, answer: Answer, device_id: str | None, now: int, *, is_counted: bool = False
) -> AnswerState:
    """Return the outcome of an answer from the server's copy of its request.

    The answer counts as ours if this device gave the same one, or if this user's vote is counted.
    Otherwise, if the request is still open, the server does not have the answer.
    """
    decided = copy.decision
    if decided is not None:
        is_ours = decided.device_id == device_id and decided.decision is answer
        return _ANSWER_STATES[answer] if is_ours else AnswerState.ALREADY
    if copy.is_waiting(now):
        return AnswerState.APPROVED if is_counted else AnswerState.NOT_RECORDED
    return ended_state(copy)


def ended_state(copy: Approval) -> AnswerState:
    """Return how an unanswered request ended."""
    return AnswerState.ENDED if copy.state is ApprovalState.CANCELLED else AnswerState.EXPIRED
