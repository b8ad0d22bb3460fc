"""Deletes the bodies of old audit entries, and the personal texts of a user.

The hashes are kept, so the log still verifies. Bodies are deleted in steps:  1. An entry announces
the position before which bodies are deleted.  2. A checkpoint covers that entry.  3. The bodies are
deleted. Without the entry, the verifier reports a missing body.
Owns: which entries keep their bodies, and for how long. Never: when a checkpoint is signed, or
which texts are personal (`audit.py`).
"""

import json
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry, EntrySearch
from server.model.store import Store, Unit, View
from server.model.users import User
from server.services.audit import audit
from server.services.audit.lag import signed_size
from server.services.refusals import Invalid, NotFound

KEPT_TYPES: Final = (audit.Type.DEVICE_ENROLLED, audit.Type.LOG_KEY_REPLACED)
"""The types whose bodies are kept, because they contain keys that verify later entries."""
DAY_MS: Final = 24 * 60 * 60 * 1000
MIN_AGE_DAYS: Final = 30
"""Entries younger than this are never trimmed."""
_PAUSE_MS: Final = 60 * 60 * 1000
_BATCH_SIZE: Final = 5_000
_TRIMMED: Final = audit.Type.AUDIT_TRIMMED


@dataclass(frozen=True, slots=True)
class Trim:
    """The extent of a deletion."""

    before: int
    """The position of the first entry that keeps its body."""
    entries: int
    """The number of bodies to delete."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Deletes bodies, and personal texts."""

    store: Store

    def preview(self, moment: int) -> Trim:
        """Return what `announce` would announce. Raises `Invalid`."""
        with self.store.read() as view:
            _check_age(view, moment)
            return _trim(view, moment)

    def announce(self, moment: int, *, by: str) -> Trim:
        """Announce that the bodies of signed entries before this time will be deleted.

        Writes no entry if there are none. Raises `Invalid`.
        """
        with self.store.write() as tx:
            _check_age(tx, moment)
            return _announce(tx, moment, by)

    def delete(self, first: int = 0) -> int:
        """Delete bodies and personal texts, as announced by signed entries from a position onward.

        Returns the size of the signed log, which is the position for the next call.
        """
        with self.store.read() as view:
            size = signed_size(view)
            bodies = view.audit_log.bodies(_TRIMMED, first, size)
        announced = (json.loads(body)["facts"]["before"] for body in bodies)
        position = min(max(announced, default=0), size)
        for start in range(0, position, _BATCH_SIZE):
            with self.store.write() as tx:
                tx.lock("audit retention")
                tx.audit.trim(start, min(start + _BATCH_SIZE, position), KEPT_TYPES)
        return size

    def erase(self, name_or_id: str, *, by: str) -> tuple[User, int]:
        """Delete a user's texts from every entry; return their number. Raises `NotFound`."""
        with self.store.write() as tx:
            user = tx.directory.find_user(name_or_id)
            if user is None:
                raise NotFound("user", name_or_id)
            texts = tx.audit.openings.erase(user.id)
            facts = {"texts": texts}
            tx.audit.add(Entry(audit.Type.AUDIT_ERASED, by, subject=user.id, facts=facts))
            return user, texts


class RetentionSchedule:
    """Trims the log once a day across all processes, and finishes every announced trim."""

    def __init__(self, store: Store, days: int | None) -> None:
        """If `days` is None, entries are kept."""
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


def _check_age(view: View, moment: int) -> None:
    """Raise `Invalid` if the time is too recent."""
    if moment > view.now - MIN_AGE_DAYS * DAY_MS:
        raise Invalid("`before` must be at least 30 days ago.", member="before")


def _announce(tx: Unit, moment: int, by: str) -> Trim:
    trim = _trim(tx, moment)
    if trim.entries:
        tx.audit.trim(0, 0, KEPT_TYPES)  # raises `Busy` if the database refuses to delete
        tx.audit.add(Entry(_TRIMMED, by, facts={"before": trim.before}))
    return trim


def _trim(view: View, moment: int) -> Trim:
    position = min(view.audit_log.position_at(moment), signed_size(view))
    return Trim(position, view.audit.count_bodies(position, KEPT_TYPES))
