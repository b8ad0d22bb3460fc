"""Audit entries and searches among them, and what their rows promise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from server.model.approvals import Approval
from server.protocol.approvals.states import State


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log before it is stored; AIMS' seven facts are members of their own."""

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
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An audit entry as it lies in the log: its columns and the bytes that are hashed."""

    id: str
    at: int
    type: str
    actor: str
    approval_id: str | None
    correlation_id: str
    body: bytes
    leaf: bytes
    names: Mapping[str, str] = field(default_factory=dict)
    """Member → what its person or client is called today; not of the log's bytes."""


@dataclass(frozen=True, slots=True)
class EntrySearch:
    """Entries of the log. Times in milliseconds. Agents and people are named, or by their ids."""

    type: str | None = None
    actor: str | None = None
    """A name or an id; the log knows `actors` alone."""
    actors: tuple[str, ...] | None = None
    """As the log writes them; any of these."""
    agent_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    approval_id: str | None = None
    correlation_id: str | None = None
    since: int | None = None
    until: int | None = None
    """Before this moment."""


@dataclass(frozen=True, slots=True)
class DecidedSearch:
    """What is over for one person. Times in milliseconds."""

    agent: str | None = None
    """By id."""
    states: frozenset[State] | None = None
    since: int | None = None

    def fits(self, approval: Approval) -> bool:
        """Reports whether one is looked for."""
        return (
            self.agent in {None, approval.agent_id}
            and (self.states is None or approval.state in self.states)
            and not self.is_past(approval)
        )

    def is_past(self, approval: Approval) -> bool:
        """Reports whether one was over before the first moment that matters."""
        return self.since is not None and (approval.decided_at or 0) < self.since


EVERYTHING = DecidedSearch()


class AuditRows(Protocol):
    """The log. Entries are only ever added."""

    def add(self, entry: Entry) -> str:
        """Store the entry with its canonical bytes; returns its id."""

    def tail(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """The last `limit` entries, or those after an id, oldest first."""

    def of_approval(self, approval_id: str) -> list[StoredEntry]: ...
    def get(self, entry_id: str) -> StoredEntry | None: ...
    def search(self, wanted: EntrySearch, before: str | None, limit: int) -> list[StoredEntry]:
        """The newest entries that match, behind an id."""
