"""The feed: wakes waiting sockets and polls, and reads one person's events.

Each process has one `Hub`. It reads new events after each commit and wakes the sockets and long
polls that they concern. Those then read the database themselves, by cursor or by ID.

Revoking a device or disabling a user is an event of that user, so their sockets wake immediately.
After any other administrative change all sockets check again, a few at a time.
"""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from server.model import display_names
from server.model.approval_views import ApproverView
from server.model.approvals import Approval
from server.model.devices import Device
from server.model.notifications import FeedEvent
from server.model.ports import Wake
from server.model.store import Store, View
from server.services.notifications import attention, deliveries
from server.services.users import user_checks

_PAGE_SIZE = 1_000
_IDLE_SECONDS = 1.0
_PAUSE_SECONDS = (0.02, 0.1)
"""The shortest and the longest pause between two batches after an administrative change."""
_SPREAD_SECONDS = 10.0
"""After an administrative change, all feeds check for changes within this time."""
ANY_CHANGE = "any change"
"""The topic of background loops, which check for work themselves."""


def user_topic(user_id: str) -> str:
    """Return the topic for a person's screens."""
    return f"user {user_id}"


def approval_topic(approval_id: str) -> str:
    """Return the topic for polls of an approval."""
    return f"approval {approval_id}"


class Hub:
    """Distributes the store's wakes to the subscribers of each topic."""

    def __init__(self, store: Store, wake: Wake) -> None:
        self._store = store
        self._wake = wake
        self._subscribers: dict[str, set[threading.Event]] = defaultdict(set)
        self._cursor = -1
        self._version = -1
        self._due: dict[str, None] = {}
        """Topics to wake after an administrative change, in this order."""
        self._woken_at = 0.0
        self.ending = False
        self.held = 0
        """The number of open long polls."""
        self.on_hold: Callable[[], None] = lambda: None
        """Called when a request becomes a long poll."""
        self.on_held: Callable[[int], None] = lambda _held: None
        """Called with the number of open long polls when it changes."""

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[threading.Event]:
        """Yield an event that is set whenever this topic may have changed."""
        event = threading.Event()
        self._subscribers[topic].add(event)
        try:
            yield event
        finally:
            self._subscribers[topic].discard(event)
            if not self._subscribers[topic]:
                del self._subscribers[topic]

    @contextmanager
    def hold(self, topic: str) -> Iterator[threading.Event]:
        """Subscribe for a long poll."""
        self.held += 1
        self.on_held(self.held)
        self.on_hold()
        try:
            with self.subscribe(topic) as changed:
                yield changed
        finally:
            self.held -= 1
            self.on_held(self.held)

    def wake(self, topic: str) -> None:
        """Wake the subscribers of one topic in this process."""
        for event in tuple(self._subscribers.get(topic, ())):
            event.set()

    def end(self) -> None:
        """Wake all subscribers because the process shuts down."""
        self.ending = True
        self.wake_all()

    def wake_all(self) -> None:
        """Wake all subscribers."""
        for topic in tuple(self._subscribers):
            self.wake(topic)

    def round(self) -> None:
        """Wait up to a second for a change, and wake its subscribers. The first call only reads."""
        if self._cursor >= 0:
            self._wake.wait(_PAUSE_SECONDS[0] if self._due else _IDLE_SECONDS)
        with self._store.read() as view:
            events = self._new_events(view)
            version = view.version
        for event in events:
            self.wake(user_topic(event.user_id))
            if event.approval_id is not None:
                self.wake(approval_topic(event.approval_id))
        if version != self._version:
            self._version = version
            self._due.update(dict.fromkeys(self._subscribers))
        self._wake_due()
        self.wake(ANY_CHANGE)

    def _wake_due(self) -> None:
        """Wake a few of the due topics; waking all of them together would delay requests."""
        now = time.monotonic()
        pause, size = batch_pace(len(self._subscribers))
        if now - self._woken_at < pause:
            return
        self._woken_at = now
        for topic in tuple(islice(self._due, size)):
            del self._due[topic]
            self.wake(topic)

    def _new_events(self, view: View) -> list[FeedEvent]:
        if self._cursor < 0:
            self._cursor = view.feed.head()
            return []
        events: list[FeedEvent] = []
        while page := view.feed.events_after(self._cursor, None, _PAGE_SIZE):
            events += page
            self._cursor = page[-1].seq
        return events


def batch_pace(topic_count: int) -> tuple[float, int]:
    """Return the pause before each batch in seconds, and the number of topics in a batch."""
    shortest, longest = _PAUSE_SECONDS
    pause = min(max(_SPREAD_SECONDS / max(1, topic_count), shortest), longest)
    return pause, max(1, math.ceil(topic_count * pause / _SPREAD_SECONDS))


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One event for a person's client, with the current state of its subject."""

    event: FeedEvent
    approval: ApproverView | None
    device: Device | None
    agent: str | None = None
    """The name of the event's agent."""
    icon: str | None = None
    """The hash of the requesting agent's icon, with a new request."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The events after a cursor. If `resync` is set, events are missing: the client must reload."""

    items: tuple[FeedItem, ...]
    cursor: int
    resync: bool
    allowed: bool
    """False if the user or device has lost access."""
    has_more: bool = False
    """Whether there may be more events after this page."""


@dataclass(frozen=True, slots=True)
class FeedService:
    """Reads one person's events."""

    store: Store
    view_for: Callable[[View, Approval, str], ApproverView]
    """Returns a request as shown to a person."""

    def head(self) -> int:
        """Return the newest cursor."""
        with self.store.read() as view:
            return view.feed.head()

    def now(self) -> int:
        """Return the server's time."""
        with self.store.read() as view:
            return view.now

    def record_delivery(self, device_id: str, page: FeedPage) -> None:
        """Record that a device received the requests on this page."""
        notifying_items = (
            item for item in page.items if item.event.event in attention.NOTIFYING_EVENTS
        )
        views = (item.approval for item in notifying_items)
        approvals = (view.approval for view in views if view is not None)
        deliveries.record(self.store, device_id, approvals)

    def page(self, user_id: str, device_id: str | None, cursor: int) -> FeedPage:
        """Return this person's events after the cursor."""
        with self.store.read() as view:
            if not _allowed(view, user_id, device_id):
                return FeedPage((), cursor, resync=False, allowed=False)
            head = view.feed.head()
            if cursor > head or cursor < view.feed.floor() - 1:
                return FeedPage((), head, resync=True, allowed=True)
            events = view.feed.events_after(cursor, user_id, _PAGE_SIZE)
            items = tuple(self._item(view, event) for event in events)
            last = events[-1].seq if events else cursor
            more = len(events) == _PAGE_SIZE
            return FeedPage(items, last, resync=False, allowed=True, has_more=more)

    def _item(self, view: View, event: FeedEvent) -> FeedItem:
        approval = None if event.approval_id is None else view.approvals.get(event.approval_id)
        is_new = approval is not None and event.event in attention.NOTIFYING_EVENTS
        requesting_agent = view.directory.agent(approval.agent_id) if approval and is_new else None
        return FeedItem(
            event=event,
            approval=None if approval is None else self.view_for(view, approval, event.user_id),
            device=None if event.device_id is None else view.devices.get(event.device_id),
            agent=None
            if event.agent_id is None
            else display_names.name_of(view.directory, event.agent_id),
            icon=None if requesting_agent is None else requesting_agent.icon,
        )


def _allowed(view: View, user_id: str, device_id: str | None) -> bool:
    device = None if device_id is None else view.devices.get(device_id)
    if not user_checks.is_enabled(view, user_id):
        return False
    if device is None or device.state != "active":
        return False
    session = view.sessions.get(device.session_id)
    return session is not None and session.revoked_at is None
