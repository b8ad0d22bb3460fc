"""What every screen is given: the server, the answers, the clocks, the guard.

Owns: the ports of the screens, as narrow as they need them. Never: how they are built; `app.py`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from approver_tui.client.feed import Listeners
from approver_tui.client.wire import Page
from approver_tui.screens.guard import InputGuard
from approver_tui.state.approvals import Approval
from approver_tui.state.decision import DenyCode
from approver_tui.state.devices import Me


class Server(Protocol):
    """What the screens ask the server; every call may block and raise a ClientError."""

    def now(self) -> int:
        """Return the server's time in milliseconds since the epoch. MUST NOT block."""

    def me(self) -> Me:
        """Return who is logged in, on which device."""

    def waiting(self) -> Page:
        """Return everything that waits for this person."""

    def approval(self, approval_id: str) -> Approval:
        """Return one approval; the server notes that it was seen."""


class Answers(Protocol):
    """How an answer is signed and sent. `is_unlocked`, `touch` and `lock` MUST NOT block."""

    @property
    def is_unlocked(self) -> bool:
        """Whether low and medium risk take no PIN at the moment."""

    def unlock(self, pin: str) -> None:
        """Open the key for low and medium risk for a while."""

    def touch(self) -> None:
        """Note that the person is there."""

    def lock(self) -> None:
        """Forget the opened key."""

    def approve(self, approval: Approval, *, fingerprint: str, pin: str | None = None) -> Approval:
        """Say yes; return the server's copy. MUST raise Changed if it is another request now."""

    def deny(self, approval: Approval, code: DenyCode, note: str = "") -> Approval:
        """Say no; return the server's copy."""


class Stream(Protocol):
    """The live feed."""

    cursor: int | None
    """After which event to go on."""

    def run(self, listeners: Listeners, stop: threading.Event) -> None:
        """Report until `stop` is set; raises LoginFirst when the session has ended."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the app runs."""

    zone: tzinfo | None = None
    """The time zone to write times in; None is this machine's."""
    folder_is_open: bool = False
    """Whether this program could read the folder of the server it talks to."""


HERE = Place()
"""This machine, with nothing to warn of."""


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a screen works with."""

    server: Server
    answers: Answers
    feed: Stream
    guard: InputGuard
    now: Callable[[], int]
    """The server's time in milliseconds since the epoch."""
    ticks: Callable[[], float]
    """Seconds on a clock that only goes forward, for delays."""
    place: Place

    @property
    def zone(self) -> tzinfo | None:
        """The person's time zone; None is this machine's."""
        return self.place.zone
