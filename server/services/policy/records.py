"""What storage keeps for policy. MUST is a promise of storage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


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
