"""The list of approvals on the screen.

Owns: which rows there are and in which order. There is one order, that in which all that waits was
read, what ends soonest on top; a row that comes later goes to the end, and every row keeps its
place until the person refreshes, so that nothing moves under the cursor.
Never: a clock; `now` is an argument. Never: sorts.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from approver_tui.state.approvals.approvals import Approval, ApprovalState, Retry
from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class Inbox:
    """Approvals in the order in which they are shown, one row per id."""

    rows: tuple[Approval, ...] = ()

    @classmethod
    def listed(cls, approvals: Iterable[Approval]) -> "Inbox":
        """Return the inbox that a full answer of the server is, in its order."""
        inbox = cls()
        for approval in approvals:
            inbox = inbox.seen(approval)
        return inbox

    def seen(self, approval: Approval) -> "Inbox":
        """Return the inbox with `approval` in its old place, or at the end if it is new."""
        known = self.find(approval.id)
        if known is None:
            return Inbox((*self.rows, approval))
        merged = _newer(known, approval)
        return Inbox(tuple(merged if row.id == approval.id else row for row in self.rows))

    def decided(self, approval: Approval) -> "Inbox":
        """Return the inbox with a known row brought to its outcome; others are not added."""
        return self.seen(approval) if self.find(approval.id) else self

    def waiting(self, now: int) -> tuple[Approval, ...]:
        """Return the rows that can still be answered at `now`, in their order."""
        return tuple([row for row in self.rows if row.is_waiting(now)])

    def find(self, approval_id: str) -> Approval | None:
        """Return the row with that id."""
        return next((row for row in self.rows if row.id == approval_id), None)


def waits_for_others(approval: Approval, me: str | None) -> bool:
    """Tell whether a person has said yes as one of several, and the rest have not yet."""
    if me is None or approval.together is None or approval.state is not ApprovalState.PENDING:
        return False
    return approval.together.counts(me)


def by_agent(approvals: Iterable[Approval]) -> tuple[tuple[SafeText, int], ...]:
    """Return who asks for these, and how often each, in the order of their first."""
    counts = Counter(approval.agent.name for approval in approvals)
    return tuple(counts.items())


def _newer(known: Approval, arrived: Approval) -> Approval:
    """A late copy never takes an outcome back: feed and fetch may cross on the way.

    How often something may still be typed is told with some copies alone, and only gets less. An
    agent that was asked to ask again stays so.
    """
    if arrived.state is ApprovalState.PENDING and known.state is not ApprovalState.PENDING:
        return known
    if known.retry is Retry.ASKED:
        return replace(arrived, retry=Retry.ASKED)
    if arrived.tries_left is None and known.tries_left is not None:
        return replace(arrived, tries_left=known.tries_left)
    return arrived
