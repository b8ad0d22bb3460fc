"""Audit entries and searches for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from server.audit_log.entries import Opening, open_members
from server.protocol.approvals.states import State

if TYPE_CHECKING:
    from server.model.approvals import Approval


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
    """The client that called the agent."""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A stored audit entry: its columns and its hashed bytes."""

    id: str
    at: int
    type: str
    actor: str
    approval_id: str | None
    correlation_id: str
    body: bytes
    leaf: bytes
    openings: Mapping[str, Opening] = field(default_factory=dict)
    """The personal data that was not erased."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The current name of the user or client in each member; not part of the hashed bytes."""

    @property
    def members(self) -> dict[str, Any]:
        """The members of the hashed bytes, together with the personal data."""
        return open_members(self.body, self.openings)


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """The ID, time and leaf hash of an entry that this process stored."""

    id: str
    at: int
    leaf: bytes


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
    """The filters of a search. Times are in milliseconds; agents and users are names or IDs."""

    type: str | None = None
    actor: str | None = None
    """A name or ID, which is resolved to `actors`."""
    actors: tuple[str, ...] | None = None
    """Matches any of these actors, in the form of the audit log."""
    agent_id: str | None = None
    """The client that acts, or the client that it acts for."""
    subject: str | None = None
    resource: str | None = None
    approval_id: str | None = None
    correlation_id: str | None = None
    value_hash: str | None = None
    """The keyed hash of a value that the log does not store."""
    since: int | None = None
    until: int | None = None
    """Entries before this time."""


@dataclass(frozen=True, slots=True)
class HistorySearch:
    """The filters of a user's history. Times are in milliseconds."""

    agent: str | None = None
    """The agent's ID."""
    states: frozenset[State] | None = None
    since: int | None = None

    def matches(self, approval: "Approval") -> bool:
        """Return whether an approval matches."""
        return (
            self.agent in {None, approval.agent_id}
            and (self.states is None or approval.state in self.states)
            and not self.is_before_since(approval)
        )

    def is_before_since(self, approval: "Approval") -> bool:
        """Return whether an approval was decided before `since`."""
        return self.since is not None and (approval.decided_at or 0) < self.since


NO_FILTERS = HistorySearch()
