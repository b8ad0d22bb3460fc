"""Selects the entries of the audit log that a stream sends next.

Owns: the position of a stream, and the check that it continues the same log. Never: sending.
"""

from dataclasses import dataclass
from typing import Final

from server.audit_log.bundles import LoggedEntry
from server.model.store import Store
from server.services.audit import lag
from server.services.audit.lag import Lag
from server.services.audit.log import BrokenLog

BATCH: Final = 200
"""The maximum number of entries that are sent together."""


@dataclass(frozen=True, slots=True)
class Position:
    """The part of the log that was sent."""

    sent: int = 0
    """The number of entries."""
    leaf: str = ""
    """The hash of the last entry, hexadecimal."""

    def advance(self, entries: list[LoggedEntry]) -> "Position":
        """Return the position after sending these entries."""
        last = entries[-1]
        return Position(last.seq + 1, last.leaf.hex())


@dataclass(frozen=True, slots=True)
class AuditStream:
    """Reads the signed entries of the log from a position onward."""

    store: Store

    def size(self) -> int:
        """Return the number of signed entries."""
        with self.store.read() as view:
            return lag.signed_size(view)

    def lag(self, position: Position) -> Lag:
        """Return how many entries have not been sent yet, including unsigned ones."""
        with self.store.read() as view:
            return lag.measure_lag(view, position.sent)

    def next(self, position: Position) -> list[LoggedEntry]:
        """Return the next entries, oldest first; an empty list if all signed entries were sent.

        Raises `BrokenLog` if the last sent entry is no longer at its position.
        """
        size, sent = self.size(), position.sent
        first = max(sent - 1, 0)
        with self.store.read() as view:
            entries = view.audit_log.entries(first, min(size, sent + BATCH))
        if not sent:
            return entries
        if not entries or entries[0].leaf.hex() != position.leaf:
            raise BrokenLog(
                f"Entry {first} differs from the one that was sent before: the log was changed, "
                "or an older database was restored."
            )
        return entries[1:]
