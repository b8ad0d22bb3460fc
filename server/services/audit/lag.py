"""How far checkpoints and streams lag behind the entries of the audit log."""

from dataclasses import dataclass
from typing import Final

from server.model.store import View

MAX_UNSIGNED_MS: Final = 60_000
"""A server is not ready if its entries have had no checkpoint for longer than this."""


@dataclass(frozen=True, slots=True)
class Lag:
    """The number of missing entries, and the age of the oldest one."""

    entries: int = 0
    milliseconds: int = 0
    """The time since the oldest missing entry was stored."""

    @property
    def too_long(self) -> bool:
        """Whether checkpoints lag so far behind that the server is not ready."""
        return self.milliseconds > MAX_UNSIGNED_MS


def unsigned(view: View) -> Lag:
    """Return how far checkpoints lag behind the entries."""
    return measure_lag(view, signed_size(view))


def signed_size(view: View) -> int:
    """Return the number of entries that the newest checkpoint covers."""
    newest = view.audit_log.newest()
    return 0 if newest is None else newest.size


def measure_lag(view: View, position: int) -> Lag:
    """Return the number of entries from a position onward, and the age of the oldest one."""
    unplaced, oldest = view.audit_log.unplaced()
    first = view.audit_log.time_of(position) or oldest
    entries = max(view.audit_log.size() - position, 0) + unplaced
    return Lag(entries, 0 if first is None else max(view.now - first, 0))
