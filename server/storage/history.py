"""Rows of history: counters by key, so that looking back costs the same however long it is."""

from collections.abc import Collection, Mapping
from itertools import chain

from sqlalchemy import (
    BindParameter,
    Connection,
    Executable,
    and_,
    bindparam,
    case,
    delete,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from server.storage.history_tables import history as h
from server.storage.prepared import Prepared

_KEYS_AT_ONCE = 10
_PLACES = [name for n in range(_KEYS_AT_ONCE) for name in (f"of{n}", f"key{n}")]
_MANY = 64
"""Amounts after which older ones count half: what is usual changes, and no sum overflows."""

_VALUES: dict[str, BindParameter[object]] = {
    "owner": bindparam("owner"),
    "key": bindparam("key"),
    "count": bindparam("one"),
    "total": bindparam("amount"),
}


def _add(insert: sqlite.Insert | postgresql.Insert) -> Executable:
    halve = and_(h.c.total > 0, h.c.count >= _MANY)
    return insert.on_conflict_do_update(
        index_elements=[h.c.owner, h.c.key],
        set_={
            "count": case((halve, h.c.count // 2), else_=h.c.count) + insert.excluded.count,
            "total": case((halve, h.c.total // 2), else_=h.c.total) + insert.excluded.total,
        },
    )


_ADD = {
    "sqlite": Prepared(_add(sqlite.insert(h).values(_VALUES))),
    "postgresql": Prepared(_add(postgresql.insert(h).values(_VALUES))),
}
_OF = Prepared(
    union_all(
        *(
            select(h.c.key, h.c.count, h.c.total).where(
                h.c.owner == bindparam(f"of{n}"), h.c.key == bindparam(f"key{n}")
            )
            for n in range(_KEYS_AT_ONCE)
        )
    )
)
"""Four times as fast as one SELECT with two IN on SQLite, which tries every pair of them."""
_FORGET = delete(h).where(h.c.owner == bindparam("of"))


class History:
    """What was approved before, in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, owner: str, key: str, amount: int = 0) -> None:
        """Count one more."""
        statement = _ADD[self._connection.dialect.name]
        statement.run(self._connection, {"owner": owner, "key": key, "one": 1, "amount": amount})

    def of(self, keys: Collection[tuple[str, str]]) -> Mapping[str, tuple[int, int]]:
        """Key → how often and how much; what was never added is not in it."""
        wanted = list(keys)
        found: dict[str, tuple[int, int]] = {}
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            part = wanted[start : start + _KEYS_AT_ONCE]
            part += [part[-1]] * (_KEYS_AT_ONCE - len(part))
            values = dict(zip(_PLACES, chain.from_iterable(part), strict=True))
            for key, count, total in _OF.run(self._connection, values):
                found[key] = count, total
        return found

    def forget(self, owner: str) -> None:
        """Drop what is about somebody who is deleted."""
        self._connection.execute(_FORGET, {"of": owner})
