"""Waking those who wait, and reading what happened for one person.

`Hub` is the one follower of a process: at each wake it reads what is new and wakes the sockets and
held polls that it concerns. They then read the database themselves, by cursor or by id.

What ends the authority of a user or a device is an event of that user, so their sockets wake at
once. After any other administrative change everybody looks again, a few at a time.
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

_AT_ONCE = 1_000
_IDLE_SECONDS = 1.0
_BETWEEN_SECONDS = 0.02
_SPREAD_SECONDS = 10.0
"""After an administrative change, all feeds check again within this time."""
ANY_CHANGE = "any change"
"""The topic of background work that looks for itself whether a change gave it something to do."""


def user_topic(user_id: str) -> str:
    """What concerns this person's screens."""
    return f"user {user_id}"


def approval_topic(approval_id: str) -> str:
    """What concerns polls of this approval."""
    return f"approval {approval_id}"


def _nothing() -> None:
    """Wakes nobody."""


class Hub:
    """Turns wakes of the store into wakes of those whom a change concerns."""

    def __init__(self, store: Store, wake: Wake) -> None:
        self._store = store
        self._wake = wake
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)
        self._cursor = -1
        self._version = -1
        self._due: dict[str, None] = {}
        """Topics that must check again after an administrative change, in this order."""
        self._nudged_at = 0.0
        self.ending = False
        self.held = 0
        """Requests that wait here for an answer of a person."""
        self.on_hold: Callable[[], None] = _nothing
        """Called by a request that begins to wait."""

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[threading.Event]:
        """An event that is set whenever something of this topic may have changed."""
        event = threading.Event()
        self._waiting[topic].add(event)
        try:
            yield event
        finally:
            self._waiting[topic].discard(event)
            if not self._waiting[topic]:
                del self._waiting[topic]

    @contextmanager
    def hold(self, topic: str) -> Iterator[threading.Event]:
        """Subscribe for a request that is held."""
        self.held += 1
        self.on_hold()
        try:
            with self.subscribe(topic) as changed:
                yield changed
        finally:
            self.held -= 1

    def nudge(self, topic: str) -> None:
        """Wake those of one topic in this process."""
        for event in tuple(self._waiting.get(topic, ())):
            event.set()

    def end(self) -> None:
        """The process is about to end: whoever waits stops waiting."""
        self.ending = True
        self.nudge_all()

    def nudge_all(self) -> None:
        """Wake everybody."""
        for topic in tuple(self._waiting):
            self.nudge(topic)

    def round(self) -> None:
        """Wait for a change, at most a second, and pass it on; the first round only looks."""
        if self._cursor >= 0:
            self._wake.wait(_BETWEEN_SECONDS if self._due else _IDLE_SECONDS)
        with self._store.read() as view:
            events = self._news(view)
            version = view.version
        for event in events:
            self.nudge(user_topic(event.user_id))
            if event.approval_id is not None:
                self.nudge(approval_topic(event.approval_id))
        if version != self._version:
            self._version = version
            self._due.update(dict.fromkeys(self._waiting))
        self._nudge_due()
        self.nudge(ANY_CHANGE)

    def _nudge_due(self) -> None:
        """Wake a few of the topics that must check again: all at once would delay requests."""
        now = time.monotonic()
        if now - self._nudged_at < _BETWEEN_SECONDS:
            return
        self._nudged_at = now
        share = math.ceil(len(self._waiting) * _BETWEEN_SECONDS / _SPREAD_SECONDS)
        for topic in tuple(islice(self._due, max(1, share))):
            del self._due[topic]
            self.nudge(topic)

    def _news(self, view: View) -> list[FeedEvent]:
        if self._cursor < 0:
            self._cursor = view.feed.head()
            return []
        events: list[FeedEvent] = []
        while part := view.feed.after(self._cursor, None, _AT_ONCE):
            events += part
            self._cursor = part[-1].seq
        return events


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One event as a person's client gets it, with what it is about as it stands now."""

    event: FeedEvent
    approval: ApproverView | None
    device: Device | None
    agent: str | None = None
    """The registered name of the agent that it is about."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What happened past a cursor. `resync`: events are gone, fetch everything again."""

    happenings: tuple[FeedItem, ...]
    cursor: int
    resync: bool
    allowed: bool
    """False when the user or the device may not listen any more."""
    more: bool = False
    """There may be more past this cursor already."""


@dataclass(frozen=True, slots=True)
class FeedService:
    """Reads one person's events."""

    store: Store
    shown: Callable[[View, Approval, str], ApproverView]
    """What a person sees of a request."""

    def head(self) -> int:
        """The newest cursor."""
        with self.store.read() as view:
            return view.feed.head()

    def now(self) -> int:
        """The server's time."""
        with self.store.read() as view:
            return view.now

    def delivered(self, device_id: str, news: FeedPage) -> None:
        """Write down that a device has the requests that this news put to its person."""
        asked = (one for one in news.happenings if one.event.event in attention.RINGING)
        found = (one.approval.approval for one in asked if one.approval is not None)
        deliveries.received(self.store, device_id, found)

    def news(self, user_id: str, device_id: str | None, cursor: int) -> FeedPage:
        """What happened for this person past the cursor."""
        with self.store.read() as view:
            if not _allowed(view, user_id, device_id):
                return FeedPage((), cursor, resync=False, allowed=False)
            head = view.feed.head()
            if cursor > head or cursor < view.feed.floor() - 1:
                return FeedPage((), head, resync=True, allowed=True)
            events = view.feed.after(cursor, user_id, _AT_ONCE)
            found = tuple(self._happening(view, event) for event in events)
            last = events[-1].seq if events else cursor
            more = len(events) == _AT_ONCE
            return FeedPage(found, last, resync=False, allowed=True, more=more)

    def _happening(self, view: View, event: FeedEvent) -> FeedItem:
        approval = None if event.approval_id is None else view.approvals.get(event.approval_id)
        return FeedItem(
            event=event,
            approval=None if approval is None else self.shown(view, approval, event.user_id),
            device=None if event.device_id is None else view.devices.get(event.device_id),
            agent=None
            if event.agent_id is None
            else display_names.name_of(view.directory, event.agent_id),
        )


def _allowed(view: View, user_id: str, device_id: str | None) -> bool:
    user = view.directory.user(user_id)
    if user is None or not user.enabled:
        return False
    device = None if device_id is None else view.devices.get(device_id)
    if device is None or device.state != "active":
        return False
    session = view.sessions.get(device.session_id)
    return session is not None and session.revoked_at is None
