"""Audit entries in the database: added and read, never changed."""

import sqlite3
from collections.abc import Callable

from sqlalchemy import BindParameter, Connection, bindparam, insert, or_, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import DBAPIError

from server.audit_log.entries import entry_bytes, leaf_hash
from server.lazy_imports import lazily
from server.model.audit import Entry, EntrySearch, StoredEntry, StoredLeaf
from server.model.store import Busy
from server.storage.audit.log import NEXT
from server.storage.audit.tables import audit_entries as e
from server.storage.prepared import Prepared

with lazily():
    from server.telemetry import correlation_id

_VALUES: dict[str, BindParameter[object]] = {
    column.key: bindparam(column.key) for column in e.c if column.key != "seq"
}
_ADD_PLACED = Prepared(insert(e).values(_VALUES).values(seq=NEXT))
_ADD_UNPLACED = Prepared(insert(e).values(_VALUES))
_TAIL = select(e).order_by(e.c.id.desc()).limit(bindparam("limit"))
_AFTER = select(e).where(e.c.id > bindparam("after")).order_by(e.c.id).limit(bindparam("limit"))
_GET = select(e).where(e.c.id == bindparam("entry"))
_OF_APPROVAL = select(e).where(e.c.approval_id == bindparam("approval")).order_by(e.c.id)
_SEARCHED = ["type", "subject", "resource", "approval_id", "correlation_id"]


class Audit:
    """The audit log in the database."""

    def __init__(
        self,
        connection: Connection,
        now: int,
        new_id: Callable[[int], str],
        stored: list[StoredLeaf],
    ) -> None:
        """`stored` gets the entries that are added."""
        self._db = connection
        self._stored = stored
        self._now = now
        self._new_id = new_id
        one_writer = connection.dialect.name == "sqlite"
        self._add = _ADD_PLACED if one_writer else _ADD_UNPLACED

    def add(self, entry: Entry) -> str:
        """Store the entry with its canonical bytes and leaf; returns its id.

        Raises `Busy` whatever the reason, so that the unit of work has no effect without its entry.
        """
        columns: dict[str, object] = {
            "id": self._new_id(self._now),
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
        body = entry_bytes({**columns, "facts": dict(entry.facts) or None})
        leaf = leaf_hash(body)
        try:
            self._add.run(self._db, {**columns, "body": body, "leaf": leaf})
        except (DBAPIError, sqlite3.Error) as error:
            reason = type(getattr(error, "orig", error)).__name__
            raise Busy(f"The audit log cannot be written ({reason}).") from error
        self._stored.append(StoredLeaf(str(columns["id"]), self._now, leaf))
        return self._stored[-1].id

    def tail(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """The last `limit` entries, or those after an id, oldest first."""
        if after is not None:
            values = {"after": after, "limit": limit}
            return [_record(row) for row in self._db.execute(_AFTER, values).mappings()]
        rows = self._db.execute(_TAIL, {"limit": limit}).mappings().all()
        return [_record(row) for row in reversed(rows)]

    def get(self, entry_id: str) -> StoredEntry | None:
        """The entry with this id."""
        row = self._db.execute(_GET, {"entry": entry_id}).mappings().first()
        return None if row is None else _record(row)

    def search(self, wanted: EntrySearch, before: str | None, limit: int) -> list[StoredEntry]:
        """The newest matching entries before an id."""
        statement = select(e).order_by(e.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(e.c.id < before)
        if wanted.since is not None:
            statement = statement.where(e.c.at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(e.c.at < wanted.until)
        if wanted.actors is not None:
            statement = statement.where(e.c.actor.in_(wanted.actors))
        if (client := wanted.agent_id) is not None:
            statement = statement.where(or_(e.c.agent_id == client, e.c.caller_id == client))
        for name in _SEARCHED:
            if (value := getattr(wanted, name)) is not None:
                statement = statement.where(e.c[name] == value)
        return [_record(row) for row in self._db.execute(statement).mappings().all()]

    def of_approval(self, approval_id: str) -> list[StoredEntry]:
        """All entries about one approval, oldest first."""
        rows = self._db.execute(_OF_APPROVAL, {"approval": approval_id}).mappings().all()
        return [_record(row) for row in rows]


def _record(row: RowMapping) -> StoredEntry:
    return StoredEntry(
        id=row["id"],
        at=row["at"],
        type=row["type"],
        actor=row["actor"],
        approval_id=row["approval_id"],
        correlation_id=row["correlation_id"],
        body=bytes(row["body"]),
        leaf=bytes(row["leaf"]),
    )
