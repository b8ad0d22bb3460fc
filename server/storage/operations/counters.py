"""Rows of counters in time windows, for limits across processes and restarts."""

from typing import Any

from sqlalchemy import Connection, Executable, bindparam, case, delete, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningDelete

from server.model.operations import Window
from server.storage.prepared import Prepared, Upsert
from server.storage.tables import counters as c

_VALUES = {"key": bindparam("key"), "window_ends_at": bindparam("ends"), "count": 1}


def _count(insert: sqlite.Insert) -> Executable:
    ended = c.c.window_ends_at <= bindparam("now")
    return insert.on_conflict_do_update(
        index_elements=[c.c.key],
        set_={
            "count": case((ended, 1), else_=c.c.count + 1),
            "window_ends_at": case((ended, bindparam("ends")), else_=c.c.window_ends_at),
        },
    ).returning(c.c.count)


_COUNT = Upsert(c, _VALUES, _count)
_PEEK = Prepared(
    select(c.c.count).where(c.c.key == bindparam("key"), c.c.window_ends_at > bindparam("now"))
)
_POP = delete(c).where(c.c.window_ends_at <= bindparam("now")).returning(c)
_POP_KEY = _POP.where(c.c.key == bindparam("key"))
_POP_PREFIX = _POP.where(c.c.key.startswith(bindparam("key"), autoescape=False))
_PRUNE = delete(c).where(c.c.window_ends_at <= bindparam("now")).returning(c.c.key)


class Counters:
    """Counters in the database."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._db = connection
        self._now = now

    def count(self, key: str, window_ms: int) -> int:
        """Increment the counter of the current window; returns the count."""
        values = {"key": key, "ends": self._now + window_ms, "now": self._now}
        return int(_COUNT.run(self._db, values)[0][0])

    def pop_ended(self, key: str) -> list[Window]:
        """Remove and return the window of this key if it has ended."""
        return self._pop(_POP_KEY, key)

    def pop_ended_with_prefix(self, prefix: str) -> list[Window]:
        """Remove and return ended windows of keys with this prefix (no % or _), oldest first."""
        return self._pop(_POP_PREFIX, prefix)

    def peek(self, key: str) -> int:
        """The count in the current window."""
        rows = _PEEK.run(self._db, {"key": key, "now": self._now})
        return int(rows[0][0]) if rows else 0

    def prune(self, now: int) -> int:
        """Delete ended windows."""
        return len(self._db.execute(_PRUNE, {"now": now}).all())

    def _pop(self, statement: ReturningDelete[Any], key: str) -> list[Window]:
        rows = self._db.execute(statement, {"key": key, "now": self._now}).mappings().all()
        windows = [Window(row["key"], row["count"], row["window_ends_at"]) for row in rows]
        return sorted(windows, key=lambda window: (window.ends_at, window.key))
