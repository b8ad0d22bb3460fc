"""The installation, its limits and statistics, and what their rows promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from server.model.approvals import ApprovalKind
from server.model.notifications import Lane
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in one window."""

    key: str
    count: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """The installation's one row."""

    admin_version: int
    created_at: int
    epoch: str
    """Random, and new after each restore, so nothing derived from the old one is valid."""
    restored_at: int | None
    """When a backup was last restored; what was signed before that is not accepted."""


class InstallationRows(Protocol):
    """The installation, its key ids and what a restore holds."""

    def row(self) -> InstallationRow: ...
    def key_ids(self) -> Mapping[str, str]:
        """The name of each key that belongs to this database, and the key's id."""

    def sealed_key(self, name: str) -> bytes | None:
        """A key that is kept here instead of in a file, sealed under the master key."""

    def add_key(self, name: str, key_id: str, sealed: bytes | None = None) -> bool:
        """Record a key; reports False when this name has one already, which then stays."""

    def held(self) -> list[tuple[str, str]]:
        """The kind and id of everything that a restore turned off and nobody has enabled yet."""

    def release(self, kind: str, held_id: str) -> bool:
        """Delete the hold; reports whether there was one."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One request that nobody has answered yet."""

    agent_id: str
    user_id: str | None
    kind: ApprovalKind


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One time that somebody was called."""

    user_id: str
    agent_id: str
    types: str
    lane: Lane
    at: int


@dataclass(frozen=True, slots=True)
class LimitRefusal:
    """An entry of the log: a limit was reached. `subject` is who denied, for a pause."""

    type: str
    agent_id: str | None
    subject: str | None
    cause: str | None
    at: int
    body: bytes


class LimitRows(Protocol):
    """What is counted. MUST cost the same however much there is."""

    def open(self, limit: int) -> list[OpenRequest]:
        """Those that wait, the first to end first."""

    def calls(self, since: int, limit: int) -> list[CallRecord]:
        """The newest after that."""

    def counted(self, prefix: str, limit: int) -> list[Window]:
        """Open windows of keys that begin so (no pattern: no % and no _), by key."""

    def refused(self, since: int, limit: int) -> list[LimitRefusal]:
        """The newest from then on."""

    def held_back(self, since: int, limit: int) -> list[str]:
        """To whom the newest requests from then on went that called nobody."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One request: between whom, and when what happened."""

    agent_id: str
    user_id: str
    state: State
    created_at: int
    seen_at: int | None
    decided_at: int | None
    approved: bool
    """Somebody, or a rule, said yes, whatever became of it."""
    by_rule: bool
    """What decided was no person."""


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """One request that nobody has answered yet."""

    agent_id: str
    user_id: str
    risk: Risk
    expires_at: int


class TraceRows(Protocol):
    """Requests of people, without what they say. MUST cost the same however many there are."""

    def since(self, moment: int, limit: int) -> list[Trace]:
        """The newest from then on."""

    def asked(self, agent_id: str, user_id: str, since: int, limit: int) -> list[Trace]:
        """The newest from then on in which this agent asked this person."""

    def of_agent(self, agent_id: str, since: int, limit: int) -> list[Trace]:
        """The newest from then on in which this agent asked somebody."""

    def pending(self, now: int) -> int:
        """How many wait; as many rows as that are looked at, and no others."""

    def waiting(self, now: int, limit: int) -> list[WaitingRequest]:
        """Those that wait, the first to end first."""


class CounterRows(Protocol):
    """Tries per window."""

    def count(self, key: str, window_ms: int) -> int:
        """One more; returns how many there are in the window that is open now."""

    def ended(self, key: str) -> list[Window]:
        """Take the window of this key away, if it is over."""

    def ended_below(self, prefix: str) -> list[Window]:
        """Likewise for all keys that begin so, oldest first."""

    def peek(self, key: str) -> int: ...
    def prune(self, now: int) -> int: ...
