"""The list of approvals on the screen.

Owns: the rows and their order. A full load lists the soonest expiry first. A new row goes to the
end, and rows keep their positions until the user refreshes, so that nothing moves under the cursor.
Never: sorting; reading a clock, as `now` is an argument.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Inbox:
    """Approvals in display order, one row per ID."""

    rows: tuple[Approval, ...] = ()

    @classmethod
    def from_list(cls, approvals: Iterable[Approval]) -> "Inbox":
        """Return the inbox for a complete list from the server, in its order."""
        inbox = cls()
        for approval in approvals:
            inbox = inbox.with_approval(approval)
        return inbox

    def with_approval(self, approval: Approval) -> "Inbox":
        """Return the inbox with `approval` at its old position, or at the end if it is new."""
        current = self.find(approval.id)
        if current is None:
            return Inbox((*self.rows, approval))
        merged = _merge_copies(current, approval)
        return Inbox(tuple([merged if row.id == approval.id else row for row in self.rows]))

    def with_update(self, approval: Approval) -> "Inbox":
        """Return the inbox with a known row updated to its outcome; unknown ones are not added."""
        return self.with_approval(approval) if self.find(approval.id) else self

    def waiting(self, now: int) -> tuple[Approval, ...]:
        """Return the rows that can still be answered at `now`, in order."""
        return tuple([row for row in self.rows if row.is_waiting(now)])

    def find(self, approval_id: str) -> Approval | None:
        """Return the row with that ID."""
        return next((row for row in self.rows if row.id == approval_id), None)


def waits_for_others(approval: Approval, me: str | None) -> bool:
    """Whether this user has approved, and others have not yet."""
    if me is None or approval.vote_tally is None or approval.state is not ApprovalState.PENDING:
        return False
    return approval.vote_tally.counts(me)


def by_agent(approvals: Iterable[Approval]) -> tuple[tuple[SafeText, int], ...]:
    """Return each requesting agent and its number of requests, in order of appearance."""
    counts = Counter(approval.agent.name for approval in approvals)
    return tuple(counts.items())


def _merge_copies(current: Approval, incoming: Approval) -> Approval:
    """Merge two copies. A pending copy never undoes an outcome: feed and fetch may cross.

    Only some copies have the nonce and the remaining attempts. `Retry.ASKED` is never undone.
    """
    if incoming.state is ApprovalState.PENDING and current.state is not ApprovalState.PENDING:
        return current
    return replace(
        incoming,
        nonce=current.nonce if incoming.nonce is None else incoming.nonce,
        tries_left=current.tries_left if incoming.tries_left is None else incoming.tries_left,
        retry=Retry.ASKED if current.retry is Retry.ASKED else incoming.retry,
    )
