"""The list of approvals on the screen.

Owns: which rows there are and in which order. A row keeps its place until the person refreshes,
so that nothing moves under the cursor. Never: a clock; `now` is an argument.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from approver_tui.state.approvals import Approval, ApprovalState


@dataclass(frozen=True, slots=True)
class Inbox:
    """Approvals in the order in which they are shown, one row per id."""

    rows: tuple[Approval, ...] = ()

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

    def fetched(self, approvals: Iterable[Approval]) -> "Inbox":
        """Return the inbox after a full answer of the server: rows it does not list are gone."""
        listed = tuple(approvals)
        ids = {approval.id for approval in listed}
        inbox = Inbox(tuple(row for row in self.rows if row.id in ids))
        for approval in listed:
            inbox = inbox.seen(approval)
        return inbox

    def without(self, approval_id: str) -> "Inbox":
        """Return the inbox without that row."""
        return Inbox(tuple(row for row in self.rows if row.id != approval_id))

    def refreshed(self) -> "Inbox":
        """Return the inbox sorted: highest risk first, within it what expires first."""
        return Inbox(tuple(sorted(self.rows, key=lambda row: (-row.risk.rank, row.expires_at))))

    def waiting(self, now: int) -> tuple[Approval, ...]:
        """Return the rows that can still be answered at `now`, in their order."""
        return tuple(row for row in self.rows if row.is_waiting(now))

    def find(self, approval_id: str) -> Approval | None:
        """Return the row with that id."""
        return next((row for row in self.rows if row.id == approval_id), None)


def _newer(known: Approval, arrived: Approval) -> Approval:
    """A late copy never takes an outcome back: feed and fetch may cross on the way."""
    if arrived.state is ApprovalState.PENDING and known.state is not ApprovalState.PENDING:
        return known
    return arrived
