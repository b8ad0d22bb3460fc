"""Rule sets and action types as they are stored, and what their rows promise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A registered action type as its file was given; `protocol.actions` reads the document."""

    type: str
    document: str
    version: int
    created_at: int


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One version of the rule set, as it was set."""

    version: int
    document: str
    agents: Mapping[str, str]
    """What the document calls an agent → its client id at that time."""
    users: Mapping[str, str]
    hash: str
    """Of the document and what its names meant, SHA-256 in hexadecimal."""
    set_by: str
    set_at: int


class PolicyRows(Protocol):
    """Rule sets. Versions are only ever added."""

    def add(self, row: PolicyRow) -> None: ...
    def newest(self) -> PolicyRow | None: ...
    def all(self) -> list[PolicyRow]:
        """Every version, the newest first."""


class UseRows(Protocol):
    """What agents got tokens for. Each answer MUST cost the same however much there is."""

    def add(self, agent_id: str, token_id: str, uses: Sequence[str], at: int) -> None: ...
    def seen(self, agent_id: str, uses: Sequence[str], until: int) -> set[str]:
        """Those of these uses of which there was one, up to this moment."""

    def count(self, agent_id: str, use: str, since: int, until: int, enough: int) -> int:
        """How many there were after `since` and up to `until`; counting stops at `enough`."""


class ActionRows(Protocol):
    """Action types. `add` MUST fail with `Taken` if the type is there."""

    def add(self, action: ActionRow) -> None: ...
    def replace(self, action: ActionRow) -> None: ...
    def delete(self, action_type: str) -> None: ...
    def all(self) -> list[ActionRow]: ...


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some days in a zone; from after to means over midnight, counted by its first day."""

    begins: time
    ends: time
    """00:00 is the end of the day."""
    days: tuple[int, ...]
    """0 is Monday."""
    zone: str
