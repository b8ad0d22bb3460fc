"""Stored rule sets and action types, and the contracts of their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A registered action type with the text of its file."""

    type: str
    document: str
    version: int
    created_at: int


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One version of the rule set."""

    version: int
    document: str
    agents: Mapping[str, str]
    """The names of agents in the document, with the client ids they had when it was set."""
    users: Mapping[str, str]
    hash: str
    """SHA-256 over the document and the resolved names, in hexadecimal."""
    set_by: str
    set_at: int


class PolicyRows(Protocol):
    """Rule sets. Versions are only added."""

    def add(self, row: PolicyRow) -> None: ...
    def newest(self) -> PolicyRow | None: ...
    def all(self) -> list[PolicyRow]:
        """All versions, newest first."""


class UseRows(Protocol):
    """Uses: what agents got tokens for. A lookup MUST cost the same however many rows there are."""

    def add(self, agent_id: str, token_id: str, uses: Sequence[str], at: int) -> None: ...
    def seen(self, agent_id: str, uses: Sequence[str], until: int) -> set[str]:
        """The uses among these that the agent has had up to this time."""

    def count(self, agent_id: str, use: str, since: int, until: int, limit: int) -> int:
        """Count uses after `since` and up to `until`; counting stops at `limit`."""


class ActionRows(Protocol):
    """Action types. `add` MUST raise `Taken` if the type exists."""

    def add(self, action: ActionRow) -> None: ...
    def replace(self, action: ActionRow) -> None: ...
    def delete(self, action_type: str) -> None: ...
    def all(self) -> list[ActionRow]: ...


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some days in a time zone. If they span midnight, the first day counts."""

    begins: time
    ends: time
    """00:00 is the end of the day."""
    days: tuple[int, ...]
    """0 is Monday."""
    zone: str
