"""The installation, its limits and statistics; their row protocols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from server.model.approvals import ApprovalKind
from server.model.notifications import Lane
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk


@dataclass(frozen=True, slots=True)
class Window:
    """A counter in one time window."""

    key: str
    count: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """The only row of the installation's table."""

    admin_version: int
    created_at: int
    epoch: str
    """A random value that changes with each restore, which invalidates everything derived."""
    restored_at: int | None
    """When a backup was last restored. Earlier signatures are not accepted."""


class InstallationRows(Protocol):
    """The installation, its key ids and the holds of a restore."""

    def row(self) -> InstallationRow: ...
    def key_ids(self) -> Mapping[str, str]:
        """Name → id of each key of this database."""

    def sealed_key(self, name: str) -> bytes | None:
        """A key that is stored in the database, sealed with the master key."""

    def add_key(self, name: str, key_id: str, sealed: bytes | None = None) -> bool:
        """Record a key. Reports False, and changes nothing, if the name has one already."""

    def replace_key(self, name: str, key_id: str) -> None:
        """Record another key under this name."""

    def held(self) -> list[tuple[str, str]]:
        """The kind and id of everything that a restore turned off and nobody has enabled yet."""

    def release(self, kind: str, held_id: str) -> bool:
        """Delete a hold; returns whether there was one."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A pending request, for limits."""

    agent_id: str
    user_id: str | None
    kind: ApprovalKind


@dataclass(frozen=True, slots=True)
class SentNotification:
    """A recent notification of a person, for limits."""

    user_id: str
    agent_id: str
    types: str
    lane: Lane
    at: int


@dataclass(frozen=True, slots=True)
class LimitRefusal:
    """An audit entry about a refusal by a limit. For a pause, `subject` is who denied."""

    type: str
    agent_id: str | None
    subject: str | None
    cause: str | None
    at: int
    body: bytes


class LimitRows(Protocol):
    """The rows that limits count. The cost of each query MUST NOT grow with the table."""

    def open(self, limit: int) -> list[OpenRequest]:
        """The pending requests, the first to expire first."""

    def notifications(self, since: int, limit: int) -> list[SentNotification]:
        """The newest notifications since then."""

    def counted(self, prefix: str, limit: int) -> list[Window]:
        """The open windows of keys with this prefix (without % and _), by key."""

    def refused(self, since: int, limit: int) -> list[LimitRefusal]:
        """The newest refusals since then."""

    def held_back(self, since: int, limit: int) -> list[str]:
        """The users of the newest requests since then that did not notify."""


@dataclass(frozen=True, slots=True)
class ApprovalSummary:
    """The parties and times of one request, for statistics."""

    agent_id: str
    user_id: str
    state: State
    created_at: int
    seen_at: int | None
    decided_at: int | None
    approved: bool
    """It was approved, by a person or a rule, whatever happened later."""
    by_rule: bool
    """A rule or standing grant decided, not a person."""


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A pending request, for statistics."""

    agent_id: str
    user_id: str
    risk: Risk
    expires_at: int


class ApprovalStatisticsRows(Protocol):
    """Requests without their contents. The cost of each query MUST NOT grow with the table."""

    def since(self, moment: int, limit: int) -> list[ApprovalSummary]:
        """The newest requests since then."""

    def asked(self, agent_id: str, user_id: str, since: int, limit: int) -> list[ApprovalSummary]:
        """The newest requests since then of this agent to this person."""

    def of_agent(self, agent_id: str, since: int, limit: int) -> list[ApprovalSummary]:
        """The newest requests since then of this agent."""

    def pending(self, now: int) -> int:
        """The number of pending requests; reads only those rows."""

    def waiting(self, now: int, limit: int) -> list[WaitingRequest]:
        """The pending requests, the first to expire first."""


class CounterRows(Protocol):
    """Counters in time windows."""

    def count(self, key: str, window_ms: int) -> int:
        """Increment the counter of the current window; returns the count."""

    def pop_ended(self, key: str) -> list[Window]:
        """Remove and return the window of this key if it has ended."""

    def pop_ended_with_prefix(self, prefix: str) -> list[Window]:
        """Remove and return the ended windows of keys with this prefix, oldest first."""

    def peek(self, key: str) -> int: ...
    def prune(self, now: int) -> int: ...
