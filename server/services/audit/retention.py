"""Deleting the bodies of old audit entries. Their hashes stay, so the log still verifies.

1. An entry says before which place bodies are deleted.  2. A checkpoint covers it.  3. The bodies
are deleted. Without that entry the verifier takes a missing body for a manipulation.
Owns: which entries keep their bodies, and when. Never: when a checkpoint is signed.
"""

import json
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry, EntrySearch
from server.model.store import Store, Unit, View
from server.services.audit import audit
from server.services.refusals import Invalid

KEPT: Final = (audit.Type.DEVICE_ENROLLED, audit.Type.LOG_KEY_REPLACED)
"""The types whose bodies stay: they have the keys that later entries are verified with."""
DAY_MS: Final = 24 * 60 * 60 * 1000
SHORTEST_DAYS: Final = 30
"""Younger entries are never trimmed."""
_PAUSE_MS: Final = 60 * 60 * 1000
_AT_ONCE: Final = 5_000
_TRIMMED: Final = audit.Type.AUDIT_TRIMMED


@dataclass(frozen=True, slots=True)
class Trim:
    """What is deleted."""

    before: int
    """The place of the first entry that keeps its body."""
    entries: int
    """The number of bodies."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Deletes bodies."""

    store: Store

    def announce(self, moment: int, *, by: str) -> Trim:
        """Write that bodies of signed entries before this time are deleted; nothing if none is.

        Raises `Invalid`.
        """
        with self.store.write() as tx:
            if moment > tx.now - SHORTEST_DAYS * DAY_MS:
                raise Invalid("`before` must be at least 30 days ago.", member="before")
            return _announce(tx, moment, by)

    def delete(self, first: int = 0) -> int:
        """Delete the bodies and personal texts that signed entries from a place on announce.

        Returns the size of the signed log, where the next call begins.
        """
        with self.store.read() as view:
            size = _signed(view)
            bodies = view.audit_log.bodies(_TRIMMED, first, size)
        announced = (json.loads(body)["facts"]["before"] for body in bodies)
        place = min(max(announced, default=0), size)
        for start in range(0, place, _AT_ONCE):
            with self.store.write() as tx:
                tx.lock("audit retention")
                tx.audit.trim(start, min(start + _AT_ONCE, place), KEPT)
        return size


class RetentionSchedule:
    """Trims the log once a day, however many processes run, and finishes every announced trim."""

    def __init__(self, store: Store, days: int | None) -> None:
        """Without `days`, entries are kept."""
        self._store = store
        self._days = days
        self._next = 0
        self._signed = 0

    def round(self) -> None:
        """Announce a trim if one is due, and delete what a checkpoint covers."""
        if self._days is not None:
            self._announce(self._days * DAY_MS)
        self._signed = Retention(self._store).delete(self._signed)

    def _announce(self, age: int) -> None:
        with self._store.read() as view:
            now = view.now
            if now < self._next:
                return
            due = _trim(view, now - age).entries
        if due:
            with self._store.write() as tx:
                tx.lock("audit retention")
                today = EntrySearch(type=_TRIMMED, since=tx.now - DAY_MS)
                if not tx.audit.search(today, None, 1):
                    _announce(tx, tx.now - age, audit.SYSTEM)
        self._next = now + _PAUSE_MS


def _announce(tx: Unit, moment: int, by: str) -> Trim:
    trim = _trim(tx, moment)
    if trim.entries:
        tx.audit.trim(0, 0, KEPT)  # raises `Busy` if the database refuses to delete
        tx.audit.add(Entry(_TRIMMED, by, facts={"before": trim.before}))
    return trim


def _trim(view: View, moment: int) -> Trim:
    place = min(view.audit_log.position_at(moment), _signed(view))
    return Trim(place, view.audit.count_bodies(place, KEPT))


def _signed(view: View) -> int:
    newest = view.audit_log.newest()
    return 0 if newest is None else newest.size
