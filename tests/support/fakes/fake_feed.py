"""A feed that tells what a test tells it, and what other servers have."""

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
    """A feed that tells what the test tells it."""

    clock: FakeClock
    starts: Phase = Phase.LIVE
    cursor: int | None = None
    seq: int = 7
    listeners: FeedListeners | None = None
    phase: Phase = Phase.CONNECTING
    is_silent: bool = False
    """Whether the server gives no sign of life although the line stands."""
    last: int | None = None

    @property
    def last_contact_at(self) -> int | None:
        """Return now while the server is heard, else when it last was."""
        if self.phase is Phase.LIVE and not self.is_silent:
            self.last = self.clock.now()
        return self.last

    def run(self, listeners: FeedListeners, stop: threading.Event) -> None:
        """Be connected at once, then wait."""
        self.listeners = listeners
        self.connect(self.starts)
        stop.wait(60)

    def connect(self, phase: Phase, reason: str = "") -> None:
        """Change the connection."""
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
    """Other servers: each look takes the next of `looks`, and the last one for good."""

    looks: list[Mapping[str, int | None]]
    asked: int = 0

    def counts(self) -> Mapping[str, int | None]:
        """Return what this look finds."""
        self.asked += 1
        return self.looks[min(self.asked, len(self.looks)) - 1]
