"""The personal texts of audit entries, which are stored and read with their entry and erased."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, select, text

from server.audit_log.entries import Opening
from server.storage.audit.tables import HASHES
from server.storage.audit.tables import audit_entries as e
from server.storage.audit.tables import audit_openings as o
from server.storage.prepared import DatabaseRows, Prepared, insert_row

_ADD = Prepared(insert_row(o))
_OF_ENTRIES = o.c.entry_id.in_(bindparam("entries", expanding=True))
_BETWEEN = (e.c.seq >= bindparam("first"), e.c.seq < bindparam("end"))
_BY_POSITION = select(e.c.seq, o.c.name, o.c.text, o.c.salt).join(o, o.c.entry_id == e.c.id)


def with_hash(value_hash: str) -> Select[tuple[str]]:
    """Select the ids of the entries that contain this hash of a value."""
    return select(o.c.entry_id).where(text(HASHES), o.c.text == value_hash)


class Openings(DatabaseRows):
    """The texts in the database."""

    def add(
        self, entry_id: str, openings: Mapping[str, Opening], owners: Mapping[str, str | None]
    ) -> None:
        """Store the texts of a new entry, with the id of the user that each text is about."""
        rows = [
            {"entry_id": entry_id, "name": name, "user_id": owners[name]}
            | {"text": opening.text, "salt": opening.salt}
            for name, opening in openings.items()
        ]
        if rows:
            _ADD.run_each(self._db, rows)

    def of(self, entries: list[str]) -> dict[str, dict[str, Opening]]:
        """The texts of these entries, by id."""
        rows = select(o.c.entry_id, o.c.name, o.c.text, o.c.salt).where(_OF_ENTRIES)
        return _group_by_key(self._db.execute(rows, {"entries": entries}))

    def between(self, first: int, end: int) -> dict[int, dict[str, Opening]]:
        """The texts of the entries at positions from `first` to before `end`, by position."""
        rows = _BY_POSITION.where(*_BETWEEN)
        return _group_by_key(self._db.execute(rows, {"first": first, "end": end}))

    def erase(self, user_id: str) -> int:
        """Delete the texts of a user; returns how many."""
        return self.delete(o.c.user_id == user_id)

    def delete(self, condition: ColumnElement[bool]) -> int:
        """Delete texts permanently; returns how many."""
        if self._db.dialect.name == "sqlite":
            # Otherwise the bytes of deleted rows stay in the file.
            self._db.exec_driver_sql("PRAGMA secure_delete=ON")
        return self._db.execute(delete(o).where(condition)).rowcount


def _group_by_key(rows: Iterable[Any]) -> dict[Any, dict[str, Opening]]:
    openings: dict[Any, dict[str, Opening]] = {}
    for key, name, value, salt in rows:
        openings.setdefault(key, {})[name] = Opening(value, bytes(salt))
    return openings
