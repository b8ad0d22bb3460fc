"""Which entries of the audit log a stream sends next.

Owns: the position of a stream, and that it continues the log it began with. Never: sending.
"""

from dataclasses import dataclass
from typing import Final

from server.audit_log.bundles import LoggedEntry
from server.model.store import Store
from server.services.audit import lag
from server.services.audit.lag import Lag
from server.services.audit.log import BrokenLog

BATCH: Final = 200
"""How many entries are sent at a time."""


@dataclass(frozen=True, slots=True)
class Position:
    """How much of the log was sent."""

    sent: int = 0
    """The number of entries."""
    leaf: str = ""
    """The hash of the last one, hexadecimal."""

    def after(self, entries: list[LoggedEntry]) -> "Position":
        """The position when these entries were sent as well."""
        last = entries[-1]
        return Position(last.seq + 1, last.leaf.hex())


@dataclass(frozen=True, slots=True)
class AuditStream:
    """Reads the signed entries of the log from a position on."""

    store: Store

    def size(self) -> int:
        """The number of signed entries."""
        with self.store.read() as view:
            newest = view.audit_log.newest()
        return 0 if newest is None else newest.size

    def lag(self, position: Position) -> Lag:
        """The entries that were not sent yet, also those that are not signed."""
        with self.store.read() as view:
            return lag.behind(view, position.sent)

    def next(self, position: Position) -> list[LoggedEntry]:
        """The next entries, oldest first; none if all that are signed were sent.

        Raises `BrokenLog` if the last entry that was sent is no longer at its place.
        """
        size, sent = self.size(), position.sent
        first = max(sent - 1, 0)
        with self.store.read() as view:
            entries = view.audit_log.entries(first, min(size, sent + BATCH))
        if not sent:
            return entries
        if not entries or entries[0].leaf.hex() != position.leaf:
            raise BrokenLog(
                f"Entry {first} is not the one that was sent before: the log was changed, or an "
                "older database was restored."
            )
        return entries[1:]
