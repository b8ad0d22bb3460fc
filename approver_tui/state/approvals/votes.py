"""The votes on a request with several approvers.

Owns: who has approved, and whose vote could still count. Never: how it is drawn.
"""

from dataclasses import dataclass
from typing import Annotated

from approver_tui.state.approvals.ceremony import REASON_LENGTH
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import SafeText, TextLimit


@dataclass(frozen=True, slots=True)
class Vote:
    """One user's answer."""

    by_id: SafeText
    by_name: SafeText
    answer: Answer
    at: int
    counts: bool
    """False if it was withdrawn, the request was narrowed, or the user was disabled since."""
    reason: Annotated[SafeText, TextLimit(REASON_LENGTH)] | None = None
    """Why they approved, in their words."""

    @property
    def verdict(self) -> SafeText:
        """The answer in words."""
        if self.answer is Answer.DENY:
            return SafeText("denied")
        if self.answer is Answer.WITHDRAW:
            return SafeText("withdrew their approval")
        return SafeText("approved" if self.counts else "approved, no longer counts")


@dataclass(frozen=True, slots=True)
class VoteTally:
    """The votes so far, and how many approvals are needed."""

    need: int
    have: int
    left: tuple[SafeText, ...]
    """Names of the users and groups whose vote could still count."""
    votes: tuple[Vote, ...]

    def counts(self, user_id: str) -> bool:
        """Whether this user has approved, and the vote counts."""
        return any(
            vote.by_id == user_id and vote.answer is Answer.APPROVE and vote.counts
            for vote in self.votes
        )

    @property
    def progress(self) -> SafeText:
        """How many have approved: "1 of 2"."""
        return SafeText(f"{self.have} of {self.need}")

    @property
    def words(self) -> SafeText:
        """The progress, and who is still needed: "1 of 2, needs one from finance, ana"."""
        missing = self.need - self.have
        if missing <= 0 or not self.left:
            return SafeText(f"{self.progress} approved")
        names = ", ".join(self.left)
        if len(self.left) == 1 and missing == 1:
            return SafeText(f"{self.progress}, needs {names}")
        return SafeText(
            f"{self.progress}, needs {_NUMBERS.get(missing, str(missing))} from {names}"
        )


def withdrawn_text(tally: VoteTally | None) -> SafeText:
    """Return the message that the user's approval was withdrawn, with the remaining votes."""
    counted = "" if tally is None else f" ({tally.words})"
    return SafeText(f"Your approval is withdrawn{counted}. The request is waiting for your answer.")


_NUMBERS = {1: "one", 2: "two", 3: "three"}
