"""A person's pending requests: those they have not answered, and those that wait for others.

Owns: what an inbox lists and counts. Never: deciding a request.
"""

from dataclasses import dataclass

from server.model.approval_views import ApproverView
from server.model.store import Store
from server.services.approvals.views import approver_view
from server.services.notifications import deliveries
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class Inbox:
    """The pending requests of a person at one moment."""

    waiting: tuple[ApproverView, ...]
    """Not answered by this person; the highest risk first."""
    waiting_count: int
    """How many there are, listed or not."""
    voted: tuple[ApproverView, ...]
    """Approved by this person, and waiting for others."""
    feed_cursor: int
    """Where the feed continues."""


@dataclass(frozen=True, slots=True)
class InboxService:
    """Reads the inbox of one person."""

    store: Store

    def first(self, person: Person) -> ApproverView | None:
        """The first request that this person has not answered. Nothing is counted."""
        device = person.registered_device
        with self.store.read() as view:
            found = view.approvals.waiting(device.user_id, view.now, 1)
            shown = [approver_view(view, one, device.user_id) for one in found]
        deliveries.record(self.store, device.id, found)
        return shown[0] if shown else None

    def of(self, person: Person, limit: int) -> Inbox:
        """Up to `limit` requests of each kind. Records that the device received them."""
        device = person.registered_device
        with self.store.read() as view:
            lists = [
                view.approvals.waiting(device.user_id, view.now, limit, voted=voted)
                for voted in (False, True)
            ]
            waiting, voted = (
                tuple(approver_view(view, one, device.user_id) for one in found) for found in lists
            )
            count = len(waiting)
            if count == limit:
                count = view.approvals.waiting_count(device.user_id, view.now)
            inbox = Inbox(waiting, count, voted, view.feed.head())
        deliveries.record(self.store, device.id, [one for found in lists for one in found])
        return inbox
