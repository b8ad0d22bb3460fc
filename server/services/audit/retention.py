"""Deleting the bodies of old audit entries. Their hashes stay, so the log still verifies.

1. An entry says before which place bodies are deleted.  2. A checkpoint covers it.  3. The bodies
are deleted. Without that entry the verifier takes a missing body for a manipulation.
Owns: which entries keep their bodies. Never: when a checkpoint is signed.
"""

from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.store import Store
from server.services.audit import audit

KEPT: Final = (audit.Type.DEVICE_ENROLLED, audit.Type.LOG_KEY_REPLACED)
"""The types whose bodies stay: they have the keys that later entries are verified with."""
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Deletes bodies."""

    store: Store

    def announce(self, moment: int, *, by: str) -> tuple[str, int]:
        """Write that bodies of signed entries before this time are deleted.

        Returns the id of that entry, and the place of the first entry that keeps its body.
        """
        with self.store.write() as tx:
            newest = tx.audit_log.newest()
            signed = 0 if newest is None else newest.size
            place = min(tx.audit_log.place_at(moment), signed)
            entry = Entry(audit.Type.AUDIT_TRIMMED, by, facts={"before": place})
            return tx.audit.add(entry), place

    def delete(self, place: int) -> int:
        """Delete the bodies before a place, and their personal texts; returns how many."""
        deleted = 0
        for first in range(0, place, _AT_ONCE):
            with self.store.write() as tx:
                deleted += tx.audit.trim(first, min(first + _AT_ONCE, place), KEPT)
        return deleted
