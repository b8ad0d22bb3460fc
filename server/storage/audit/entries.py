"""Audit entries in the database, which never change, except that `trim` clears their bodies.

Personal texts are stored and read with their entry, and may be erased.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import DBAPIError

from server.audit_log.entries import Opening, commit_facts, entry_bytes, leaf_hash
from server.lazy_imports import lazily
from server.model.audit import Entry, EntrySearch, StoredEntry, StoredLeaf
from server.model.store import Busy
from server.services.audit.audit import owners
from server.storage.audit.tables import HASHES
from server.storage.audit.tables import audit_entries as e
from server.storage.audit.tables import audit_openings as o
from server.storage.prepared import DatabaseRows, Prepared, insert_row

with lazily():
    from server.telemetry import correlation_id

_NEXT = select(func.coalesce(func.max(e.c.seq), -1) + 1).scalar_subquery()
"""The position of the next entry."""
_ADD_WITH_SEQ = Prepared(insert_row(e, without="seq").values(seq=_NEXT))
_ADD_WITHOUT_SEQ = Prepared(insert_row(e, without="seq"))
_LAST_ID = Prepared(select(func.max(e.c.id)))
_HAS_BODY = e.c.type != ""
_TAIL = select(e).where(_HAS_BODY).order_by(e.c.id.desc()).limit(bindparam("limit"))
_AFTER = (
    select(e)
    .where(_HAS_BODY, e.c.id > bindparam("after"))
    .order_by(e.c.id)
    .limit(bindparam("limit"))
)
_GET = select(e).where(_HAS_BODY, e.c.id == bindparam("entry"))
_BY_APPROVAL = select(e).where(e.c.approval_id == bindparam("approval")).order_by(e.c.id)
_KEPT_COLUMNS = {"id", "seq", "at", "leaf"}
_BLANK = {column.key: None for column in e.c if column.key not in _KEPT_COLUMNS} | {
    **dict.fromkeys(("type", "actor", "correlation_id"), ""),
    "body": b"",
}
"""The columns that are cleared when the body of an entry is deleted."""
_TIME_DIGITS: Final = 12
"""An ID begins with its time: milliseconds, in hexadecimal digits."""
_ADD_OPENINGS = Prepared(insert_row(o))
_BY_ENTRIES = o.c.entry_id.in_(bindparam("entries", expanding=True))
_BETWEEN = (e.c.seq >= bindparam("first"), e.c.seq < bindparam("end"))
_TEXTS_BY_POSITION = select(e.c.seq, o.c.name, o.c.text, o.c.salt).join(o, o.c.entry_id == e.c.id)
_SALT_BYTES: Final = 32


def _with_hash(value_hash: str) -> Select[tuple[str]]:
    """Select the IDs of the entries that contain this hash of a value."""
    return select(o.c.entry_id).where(text(HASHES), o.c.text == value_hash)


_FILTERS: Final[Mapping[str, Callable[[Any], ColumnElement[bool]]]] = {
    **{
        name: e.c[name].__eq__
        for name in ("type", "subject", "resource", "approval_id", "correlation_id")
    },
    "since": e.c.at.__ge__,
    "until": e.c.at.__lt__,
    "actors": e.c.actor.in_,
    "agent_id": lambda client: or_(e.c.agent_id == client, e.c.caller_id == client),
    "value_hash": lambda value_hash: e.c.id.in_(_with_hash(value_hash)),
}
"""Member of `EntrySearch` → the condition of the search."""


class Openings(DatabaseRows):
    """Personal texts in the database."""

    def add(
        self, entry_id: str, openings: Mapping[str, Opening], owners: Mapping[str, str | None]
    ) -> None:
        """Store a new entry's texts, each with the ID of its owner."""
        rows = [
            {"entry_id": entry_id, "name": name, "user_id": owners[name]}
            | {"text": opening.text, "salt": opening.salt}
            for name, opening in openings.items()
        ]
        if rows:
            _ADD_OPENINGS.run_each(self._db, rows)

    def texts_of(self, entries: list[str]) -> dict[str, dict[str, Opening]]:
        """Return the texts of these entries, by ID."""
        rows = select(o.c.entry_id, o.c.name, o.c.text, o.c.salt).where(_BY_ENTRIES)
        return _group_by_entry(self._db.execute(rows, {"entries": entries}))

    def between(self, first: int, end: int) -> dict[int, dict[str, Opening]]:
        """Return the texts of the entries from position `first` to before `end`, by position."""
        rows = _TEXTS_BY_POSITION.where(*_BETWEEN)
        return _group_by_entry(self._db.execute(rows, {"first": first, "end": end}))

    def erase(self, user_id: str) -> int:
        """Delete a user's texts; return the number of deleted texts."""
        return self.delete(o.c.user_id == user_id)

    def delete(self, condition: ColumnElement[bool]) -> int:
        """Delete texts permanently; return the number of deleted texts."""
        if self._db.dialect.name == "sqlite":
            # Otherwise, the bytes of deleted rows would stay in the file.
            self._db.exec_driver_sql("PRAGMA secure_delete=ON")
        return self._db.execute(delete(o).where(condition)).rowcount


class Audit:
    """The audit log in the database."""

    def __init__(
        self,
        connection: Connection,
        now: int,
        new_id: Callable[[int], str],
        stored: list[StoredLeaf],
    ) -> None:
        """Appends the leaves of added entries to `stored`."""
        self._db = connection
        self._stored = stored
        self._now = now
        self._new_id = new_id
        one_writer = connection.dialect.name == "sqlite"
        self._add = _ADD_WITH_SEQ if one_writer else _ADD_WITHOUT_SEQ
        self.openings = Openings(connection)

    def add(self, entry: Entry) -> str:
        """Store the entry with its canonical bytes and leaf; return its ID.

        Raises `Busy` for every database error, so that nothing is committed without its entry.
        """
        columns: dict[str, object] = {
            "id": self._next_id(),
            "at": self._now,
            "type": entry.type,
            "actor": entry.actor,
            "agent_id": entry.agent_id,
            "subject": entry.subject,
            "resource": entry.resource,
            "action": entry.action,
            "decision": entry.decision,
            "correlation_id": correlation_id(),
            "posture": entry.posture,
            "cause": entry.cause,
            "approval_id": entry.approval_id,
            "caller_id": entry.caller_id,
        }
        personal = owners(entry)
        openings = {
            name: Opening(str(entry.facts[name]), secrets.token_bytes(_SALT_BYTES))
            for name in personal
        }
        body = entry_bytes({**columns, **commit_facts(entry.facts, openings)})
        leaf = leaf_hash(body)
        try:
            self._add.run(self._db, {**columns, "body": body, "leaf": leaf})
            self.openings.add(str(columns["id"]), openings, personal)
        except (DBAPIError, sqlite3.Error) as error:
            raise Busy(f"The audit log cannot be written ({_reason(error)}).") from error
        self._stored.append(StoredLeaf(str(columns["id"]), self._now, leaf))
        return self._stored[-1].id

    def _next_id(self) -> str:
        """Return an ID that sorts after those of all stored entries.

        If this unit of work has waited for a lock, or the clock was set back, it may depend on an
        entry that has a later time than the unit.
        """
        new = self._new_id(self._now)
        last: str | None = _LAST_ID.run(self._db, {})[0][0]
        return new if last is None or new > last else self._new_id(int(last[:_TIME_DIGITS], 16) + 1)

    def tail(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """Return the last `limit` entries, or those after an ID, oldest first."""
        if after is not None:
            values = {"after": after, "limit": limit}
            return self._records(self._db.execute(_AFTER, values).mappings().all())
        rows = self._db.execute(_TAIL, {"limit": limit}).mappings().all()
        return self._records(rows[::-1])

    def get(self, entry_id: str) -> StoredEntry | None:
        """Return the entry with this ID."""
        rows = self._db.execute(_GET, {"entry": entry_id}).mappings().all()
        return next(iter(self._records(rows)), None)

    def search(self, filters: EntrySearch, before: str | None, limit: int) -> list[StoredEntry]:
        """Return the newest matching entries before an ID."""
        statement = select(e).where(_HAS_BODY).order_by(e.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(e.c.id < before)
        values = {name: getattr(filters, name) for name in _FILTERS}
        conditions = (_FILTERS[name](value) for name, value in values.items() if value is not None)
        statement = statement.where(*conditions)
        return self._records(self._db.execute(statement).mappings().all())

    def of_approval(self, approval_id: str) -> list[StoredEntry]:
        """Return all entries about one approval, oldest first."""
        rows = self._db.execute(_BY_APPROVAL, {"approval": approval_id}).mappings().all()
        return self._records(rows)

    def count_bodies(self, end: int, kept_types: Sequence[str]) -> int:
        """Count the entries before position `end` with a body, except those of these types."""
        in_range = (e.c.seq < end, _HAS_BODY, e.c.type.not_in(kept_types))
        return self._db.execute(select(func.count()).where(*in_range)).scalar_one()

    def trim(self, first: int, end: int, kept_types: Sequence[str]) -> None:
        """Delete the bodies of entries from `first` to before `end`, except those of these types.

        The position, time and hash of these entries are kept. The personal texts of all of them are
        deleted. Raises `Busy` if this fails, for example if the database role may only add entries.
        """
        in_range = (e.c.seq >= first, e.c.seq < end)
        self.openings.delete(o.c.entry_id.in_(select(e.c.id).where(*in_range)))
        clear = update(e).where(*in_range, _HAS_BODY, e.c.type.not_in(kept_types)).values(_BLANK)
        try:
            self._db.execute(clear)
        except DBAPIError as error:
            raise Busy(f"Audit entries cannot be deleted ({_reason(error)}).") from error

    def _records(self, rows: Sequence[RowMapping]) -> list[StoredEntry]:
        openings = self.openings.texts_of([row["id"] for row in rows])
        return [_record(row, openings.get(row["id"], {})) for row in rows]


def _reason(error: Exception) -> str:
    return type(getattr(error, "orig", error)).__name__


def _record(row: RowMapping, openings: Mapping[str, Opening]) -> StoredEntry:
    return StoredEntry(
        id=row["id"],
        at=row["at"],
        type=row["type"],
        actor=row["actor"],
        approval_id=row["approval_id"],
        correlation_id=row["correlation_id"],
        body=bytes(row["body"]),
        leaf=bytes(row["leaf"]),
        openings=openings,
    )


def _group_by_entry(rows: Iterable[Any]) -> dict[Any, dict[str, Opening]]:
    texts: dict[Any, dict[str, Opening]] = {}
    for key, name, personal_text, salt in rows:
        texts.setdefault(key, {})[name] = Opening(personal_text, bytes(salt))
    return texts
