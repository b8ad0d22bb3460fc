"""A feed that reports what a test sets, and counts of pending requests on other servers."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from approver_tui.client.notifications.feed import FeedListeners
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.text import display_safe
from tests.support.fakes.fake_clock import FakeClock


@dataclass
class FakeFeed:
    """A feed that reports what the test sets."""

    clock: FakeClock
    starts: Phase = Phase.LIVE
    cursor: int | None = None
    seq: int = 7
    listeners: FeedListeners | None = None
    phase: Phase = Phase.CONNECTING
    is_silent: bool = False
    """Whether the server sends nothing although the connection is open."""
    last: int | None = None

    @property
    def last_contact_at(self) -> int | None:
        """Return the current time while the server sends, else the time of its last message."""
        if self.phase is Phase.LIVE and not self.is_silent:
            self.last = self.clock.now()
        return self.last

    def run(self, listeners: FeedListeners, stop: threading.Event) -> None:
        """Connect immediately, then wait until stopped."""
        self.listeners = listeners
        self.connect(self.starts)
        stop.wait(60)

    def connect(self, phase: Phase, reason: str = "") -> None:
        """Set the phase of the connection and report it."""
        self.phase = phase
        if self.listeners is not None:
            text = display_safe(reason)
            self.listeners.on_connection(Connection(phase, self.clock.now(), text))

    def tell(
        self,
        name: EventName,
        approval: Approval | None = None,
        device: Device | None = None,
        held: str | None = None,
    ) -> None:
        """Report an event."""
        self.seq += 1
        if self.listeners is not None:
            event = Event(self.seq, name, self.clock.now(), approval, device, held)
            self.listeners.on_event(event)


@dataclass
class FakeOthers:
    """Other servers: each call returns the next of `looks`; the last one is repeated."""

    looks: list[Mapping[str, int | None]]
    asked: int = 0

    def counts(self) -> Mapping[str, int | None]:
        """Return the next of `looks`."""
        self.asked += 1
        return self.looks[min(self.asked, len(self.looks)) - 1]
