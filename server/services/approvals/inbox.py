"""A user's lists of requests: unanswered, waiting for others, and closed.

Owns: the contents and the counts of the inbox and the history. Never: deciding a request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.audit import NO_FILTERS, HistorySearch
from server.model.store import Store, View
from server.services.approvals.views import approver_view
from server.services.notifications import deliveries
from server.services.users.device_auth import Person

SCANNED_REQUESTS = 500
"""The number of closed requests that are read for one page of a filtered history."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The pending requests of a person at one moment."""

    waiting: tuple[ApproverView, ...]
    """Requests that this person has not answered; the highest risk first."""
    waiting_count: int
    """The number of unanswered requests, including those that are not listed."""
    voted: tuple[ApproverView, ...]
    """Requests that this person has approved and that are waiting for others."""
    feed_cursor: int
    """The position in the feed from which to continue."""


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """A page of a list, with the cursor for the next page."""

    items: tuple[ApproverView, ...]
    next: tuple[int, str] | None
    feed_cursor: int
    now: int


@dataclass(frozen=True, slots=True)
class InboxService:
    """Reads the inbox and the history of one person."""

    store: Store

    def first(self, person: Person) -> ApproverView | None:
        """Return the first request that this user has not answered, without counting the others."""
        device = person.registered_device
        with self.store.read() as view:
            approvals = view.approvals.waiting(device.user_id, view.now, 1)
            views = _views(view, person, approvals)
        deliveries.record(self.store, device.id, approvals)
        return views[0] if views else None

    def load(self, person: Person, limit: int) -> Inbox:
        """Return up to `limit` requests per list. Records that the device received them."""
        device = person.registered_device
        with self.store.read() as view:
            lists = [
                view.approvals.waiting(device.user_id, view.now, limit, voted=voted)
                for voted in (False, True)
            ]
            waiting, voted = (_views(view, person, approvals) for approvals in lists)
            count = len(waiting)
            if count == limit:
                count = view.approvals.waiting_count(device.user_id, view.now)
            inbox = Inbox(waiting, count, voted, view.feed.head())
        deliveries.record(self.store, device.id, [*chain.from_iterable(lists)])
        return inbox

    def waiting(self, person: Person, limit: int, after: tuple[int, str] | None) -> ApprovalPage:
        """Return pending requests, answered or not, by risk (highest first) and then by expiry."""
        user_id = person.registered_device.user_id
        with self.store.read() as view:
            cursor = view.feed.head()
            approvals = view.approvals.waiting(user_id, view.now, limit, after, voted=None)
            next_cursor = (
                (approvals[-1].sort_key, approvals[-1].id) if len(approvals) == limit else None
            )
            page = ApprovalPage(_views(view, person, approvals), next_cursor, cursor, view.now)
        deliveries.record(self.store, person.registered_device.id, approvals)
        return page

    def list_decided(
        self,
        person: Person,
        limit: int,
        before: tuple[int, str] | None,
        history_search: HistorySearch = NO_FILTERS,
    ) -> ApprovalPage:
        """Return closed requests that match, newest first.

        Each page reads a limited number of requests, so an empty page can have a next page.
        """
        scanned = limit if history_search == NO_FILTERS else max(limit, SCANNED_REQUESTS)
        with self.store.read() as view:
            cursor = view.feed.head()
            approvals = view.approvals.list_decided(
                person.registered_device.user_id, scanned, before
            )
            matching = [approval for approval in approvals if history_search.matches(approval)]
            is_cut_off = len(approvals) == scanned and not history_search.is_before_since(
                approvals[-1]
            )
            next_cursor = _cursor_after(
                matching[:limit] if len(matching) >= limit else approvals[-1:] if is_cut_off else []
            )
            return ApprovalPage(
                _views(view, person, matching[:limit]), next_cursor, cursor, view.now
            )

    def find_agent_id(self, name_or_id: str) -> str:
        """Return the ID of the agent with this name or ID; returns an unknown name unchanged."""
        with self.store.read() as view:
            agent = view.directory.find_agent(name_or_id)
            return name_or_id if agent is None else agent.id


def _cursor_after(approvals: list[Approval]) -> tuple[int, str] | None:
    return (approvals[-1].decided_at or 0, approvals[-1].id) if approvals else None


def _views(view: View, person: Person, approvals: Iterable[Approval]) -> tuple[ApproverView, ...]:
    return tuple(approver_view(view, approval, person.user.id) for approval in approvals)
