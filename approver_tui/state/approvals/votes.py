"""How far a request is that several people are asked about.

Owns: who has said yes, and whose yes could still count. Never: whose turn it is to draw it; the
facts come first.
"""

from dataclasses import dataclass

from approver_tui.state.approvals.decision import Answer
from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer."""

    by_id: SafeText
    by_name: SafeText
    answer: Answer
    at: int
    counts: bool
    """False where somebody else approved less since."""
    reason: SafeText | None = None
    """Why they said yes, in their words."""


@dataclass(frozen=True, slots=True)
class VoteTally:
    """Several people, and how many of them must say yes."""

    need: int
    have: int
    left: tuple[SafeText, ...]
    """Names of the people and groups whose yes could still count."""
    votes: tuple[Vote, ...]

    def counts(self, user_id: str) -> bool:
        """Whether this person has said yes, and their yes counts."""
        return any(
            vote.by_id == user_id and vote.answer is Answer.APPROVE and vote.counts
            for vote in self.votes
        )

    @property
    def progress(self) -> SafeText:
        """How many have said yes: "1 of 2"."""
        return SafeText(f"{self.have} of {self.need}")

    @property
    def words(self) -> SafeText:
        """The same, and who is needed: "1 of 2, needs one of finance, ana"."""
        missing = self.need - self.have
        if missing <= 0 or not self.left:
            return SafeText(f"{self.progress} said yes")
        who = ", ".join(self.left)
        if len(self.left) == 1 and missing == 1:
            return SafeText(f"{self.progress}, needs {who}")
        return SafeText(f"{self.progress}, needs {_NUMBERS.get(missing, str(missing))} of {who}")


_NUMBERS = {1: "one", 2: "two", 3: "three"}
