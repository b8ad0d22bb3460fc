"""Audit entries, searches for them, and the contract of their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from server.audit_log.bundles import LoggedEntry
from server.audit_log.merkle import Place
from server.model.approvals import Approval
from server.protocol.approvals.states import State


@dataclass(frozen=True, slots=True)
class Entry:
    """An audit entry before it is stored; the seven facts of AIMS have their own members."""

    type: str
    actor: str
    agent_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    action: str | None = None
    decision: str | None = None
    posture: str | None = None
    cause: str | None = None
    approval_id: str | None = None
    caller_id: str | None = None
    """The client whose call the agent handled."""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A stored audit entry: its columns and the hashed bytes."""

    id: str
    at: int
    type: str
    actor: str
    approval_id: str | None
    correlation_id: str
    body: bytes
    leaf: bytes
    names: Mapping[str, str] = field(default_factory=dict)
    """The current name of the user or client in each member; not part of the hashed bytes."""


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A signed checkpoint of the log."""

    size: int
    at: int
    frontier: bytes
    """The encoded frontier of this size, from which the log continues."""
    note: str
    """The signed text."""

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.note.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class EntrySearch:
    """The filters of a search. Times in milliseconds. Agents and users by name or id."""

    type: str | None = None
    actor: str | None = None
    """A name or id, which is resolved to `actors`."""
    actors: tuple[str, ...] | None = None
    """Any of these, in the form of the log."""
    agent_id: str | None = None
    """The client that acts or whose call it is."""
    subject: str | None = None
    resource: str | None = None
    approval_id: str | None = None
    correlation_id: str | None = None
    since: int | None = None
    until: int | None = None
    """Entries before this time."""


@dataclass(frozen=True, slots=True)
class HistorySearch:
    """The filters of a user's history. Times in milliseconds."""

    agent: str | None = None
    """The agent's id."""
    states: frozenset[State] | None = None
    since: int | None = None

    def matches(self, approval: Approval) -> bool:
        """Return whether an approval matches."""
        return (
            self.agent in {None, approval.agent_id}
            and (self.states is None or approval.state in self.states)
            and not self.is_before_since(approval)
        )

    def is_before_since(self, approval: Approval) -> bool:
        """Return whether an approval was decided before `since`."""
        return self.since is not None and (approval.decided_at or 0) < self.since


NO_FILTERS = HistorySearch()


class AuditLogRows(Protocol):
    """The order of the audit log, and its checkpoints. Both only grow."""

    def size(self) -> int:
        """The number of entries that have a place."""

    def place_of(self, entry_id: str) -> int | None:
        """The place of an entry; None if it has none yet."""

    def time_of(self, place: int) -> int | None:
        """The time of the entry at a place; None if there is none."""

    def unplaced(self) -> tuple[int, int | None]:
        """The number of entries that have no place yet, and the time of the oldest."""

    def leaves(self, first: int, end: int) -> list[bytes]:
        """The leaf hashes at the places from `first` to before `end`."""

    def add_nodes(self, nodes: Mapping[Place, bytes]) -> None:
        """Store the hashes of complete subtrees of two leaves or more."""

    def nodes(self, places: Sequence[Place]) -> dict[Place, bytes]:
        """The hashes at these places, leaves included. Raises `MissingNode`."""

    def nodes_over(self, first: int, end: int) -> dict[Place, bytes]:
        """The stored hashes whose last leaf is from `first` to before `end`."""

    def size_of_nodes(self) -> int:
        """The number of entries whose complete subtrees are stored; it is even."""

    def entries(self, first: int, end: int) -> list[LoggedEntry]:
        """The entries at the places from `first` to before `end`."""

    def newest(self, at_most: int | None = None) -> CheckpointRow | None:
        """The newest checkpoint, or the newest one of at most this size."""

    def checkpoints(self, after: tuple[int, int], limit: int) -> list[CheckpointRow]:
        """The checkpoints after a size and time, oldest first."""

    def add(self, checkpoint: CheckpointRow) -> None:
        """Store a checkpoint."""


class AuditRows(Protocol):
    """The audit log. Entries are only added."""

    def add(self, entry: Entry) -> str:
        """Store the entry with its canonical bytes; returns its id."""

    def tail(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """The last `limit` entries, or those after an id, oldest first."""

    def of_approval(self, approval_id: str) -> list[StoredEntry]: ...
    def get(self, entry_id: str) -> StoredEntry | None: ...
    def search(self, wanted: EntrySearch, before: str | None, limit: int) -> list[StoredEntry]:
        """The newest matching entries before an id."""
