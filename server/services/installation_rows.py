"""What the database knows about the installation: its epoch, and which keys belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


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
