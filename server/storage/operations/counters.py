"""Rows of tries per window: limits that hold across processes and restarts."""

from typing import Any

from sqlalchemy import Connection, Executable, bindparam, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningDelete

from server.model.operations import Window
from server.storage.operations.counter_tables import counters as c
from server.storage.prepared import Prepared

_VALUES = {"key": bindparam("key"), "window_ends_at": bindparam("ends"), "count": 1}


def _count(insert: sqlite.Insert | postgresql.Insert) -> Executable:
    over = c.c.window_ends_at <= bindparam("now")
    return insert.on_conflict_do_update(
        index_elements=[c.c.key],
        set_={
            "count": case((over, 1), else_=c.c.count + 1),
            "window_ends_at": case((over, bindparam("ends")), else_=c.c.window_ends_at),
        },
    ).returning(c.c.count)


_COUNT = {
    "sqlite": Prepared(_count(sqlite.insert(c).values(_VALUES))),
    "postgresql": Prepared(_count(postgresql.insert(c).values(_VALUES))),
}
_PEEK = Prepared(
    select(c.c.count).where(c.c.key == bindparam("of"), c.c.window_ends_at > bindparam("now"))
)
_OVER = delete(c).where(c.c.window_ends_at <= bindparam("now")).returning(c)
_ENDED = _OVER.where(c.c.key == bindparam("of"))
_ENDED_BELOW = _OVER.where(c.c.key.startswith(bindparam("of"), autoescape=False))
_PRUNE = delete(c).where(c.c.window_ends_at <= bindparam("now")).returning(c.c.key)


class Counters:
    """Counters in the database."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self._now = now

    def count(self, key: str, window_ms: int) -> int:
        """One more; returns how many there are in the window that is open now."""
        statement = _COUNT[self._connection.dialect.name]
        values = {"key": key, "ends": self._now + window_ms, "now": self._now}
        return int(statement.run(self._connection, values)[0][0])

    def ended(self, key: str) -> list[Window]:
        """Take the window of this key away, if it is over."""
        return self._taken(_ENDED, key)

    def ended_below(self, prefix: str) -> list[Window]:
        """Likewise for all keys that begin so (no pattern: no % and no _), oldest first."""
        return self._taken(_ENDED_BELOW, prefix)

    def peek(self, key: str) -> int:
        """How many there are in the window that is open now."""
        rows = _PEEK.run(self._connection, {"of": key, "now": self._now})
        return int(rows[0][0]) if rows else 0

    def prune(self, now: int) -> int:
        """Drop windows that are over."""
        return len(self._connection.execute(_PRUNE, {"now": now}).all())

    def _taken(self, statement: ReturningDelete[Any], of: str) -> list[Window]:
        rows = self._connection.execute(statement, {"of": of, "now": self._now}).mappings().all()
        windows = [Window(row["key"], row["count"], row["window_ends_at"]) for row in rows]
        return sorted(windows, key=lambda window: (window.ends_at, window.key))
