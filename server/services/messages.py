"""What is told: events for people's screens, and messages that leave the installation.

Owns: both as records, and what the services need of their rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Something one user's screens should know. `seq` is the cursor."""

    seq: int
    user_id: str
    event: str
    at: int
    approval_id: str | None
    device_id: str | None


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """Something that leaves the installation, until it was delivered or given up."""

    id: int
    channel: str
    target: str
    body: str
    state: Literal["waiting", "leased", "sent", "dead"]
    attempts: int
    not_before: int
    created_at: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Loss:
    """What was given up lately on its way to one target."""

    channel: str
    target: str
    messages: int
    last_error: str | None
    over: bool
    """A later message arrived there at once; one that came to need no call after a try is none."""


class FeedRows(Protocol):
    """Events for people's screens."""

    def add(
        self,
        user_id: str,
        event: str,
        *,
        approval_id: str | None = None,
        device_id: str | None = None,
    ) -> None: ...
    def head(self) -> int:
        """The newest cursor; 0 when nothing ever happened."""

    def floor(self) -> int:
        """The oldest event that is still there; a cursor below it minus one needs a resync."""

    def after(self, cursor: int, user_id: str | None, limit: int) -> list[FeedEvent]: ...
    def prune(self, before: int) -> int: ...


class OutboxRows(Protocol):
    """What leaves the installation."""

    def add(self, channel: str, target: str, body: str) -> None: ...
    def due(self) -> bool:
        """Reports whether there is anything to deliver now."""

    def settle(self, channel: str) -> int:
        """Nothing leaves by this channel: what waits for it is done; returns how many."""

    def lease(self, holder: str, limit: int, seconds: int) -> list[OutboxMessage]: ...
    def sent(self, message_id: int, holder: str) -> bool: ...
    def failed(self, message_id: int, holder: str, error: str, not_before: int | None) -> bool:
        """Try again at `not_before`; None means never: it is dead."""

    def counts(self) -> Mapping[str, int]: ...
    def dead(self, limit: int) -> list[OutboxMessage]: ...
    def losses(self, since: int) -> list[Loss]:
        """What was given up since then, by target."""

    def prune(self, before: int, *, dead_before: int) -> int: ...
