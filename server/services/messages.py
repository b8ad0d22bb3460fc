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
    held: str | None = None
    """Why it notifies nobody and only changes what is on the screen."""
    agent_id: str | None = None
    """What an alarm is about."""
    incident_id: str | None = None


Lane = Literal["low", "medium", "urgent", "digest"]
"""Risks whose notifications are counted together; urgent are high and critical.

A digest is for all that was held back, whatever its risk.
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """How often a person was called lately by risks of one lane."""

    minute: int
    hour: int
    agent_minute: int
    agent_hour: int
    """By this agent alone."""
    type_hour: int
    """For such types alone."""
    reported: bool
    """The person reported this agent, and the incident is open."""


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

    def add(  # noqa: PLR0913  # what an event may be about
        self,
        user_id: str,
        event: str,
        *,
        approval_id: str | None = None,
        device_id: str | None = None,
        held: str | None = None,
        agent_id: str | None = None,
        incident_id: str | None = None,
    ) -> None: ...
    def head(self) -> int:
        """The newest cursor; 0 when nothing ever happened."""

    def floor(self) -> int:
        """The oldest event that is still there; a cursor below it minus one needs a resync."""

    def after(self, cursor: int, user_id: str | None, limit: int) -> list[FeedEvent]: ...
    def prune(self, before: int) -> int: ...


class NotificationRows(Protocol):
    """Every time that somebody was called, for as long as it is counted."""

    def add(self, user_id: str, agent_id: str, types: str, lane: Lane) -> None: ...
    def spent(self, user_id: str, agent_id: str, types: str, lane: Lane) -> Spent:
        """How often this person was called in the last minute and hour; MUST be one statement."""

    def prune(self) -> int:
        """Drop what is not counted any more."""


class OutboxRows(Protocol):
    """What leaves the installation."""

    def add(self, channel: str, target: str, body: str, *, after_ms: int = 0) -> None: ...
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
    def again(self, message_id: int) -> OutboxMessage | None:
        """Let one that is dead wait to leave, now, as if new; None where none is dead."""

    def losses(self, since: int) -> list[Loss]:
        """What was given up since then, by target."""

    def prune(self, before: int, *, dead_before: int) -> int: ...
