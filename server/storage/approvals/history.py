"""Approval history as counters by key, so that a long history does not slow lookups down."""

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from sqlalchemy import (
    ColumnElement,
    Executable,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects import sqlite

from server.model.history import Addition, HistoryRow
from server.storage.approvals.tables import history as h
from server.storage.prepared import DatabaseRows, Prepared, Upsert

_BATCH_SIZE = 16
_PARAMETERS = [name for n in range(_BATCH_SIZE) for name in (f"owner{n}", f"key{n}")]
_HALVE_AT = 64
"""The count at which older amounts are halved, so that they fade and sums cannot overflow."""
_MAX_AMOUNT = 2**53 - 1
"""The maximum for one amount, since the sum of a list may exceed it."""
_MAX_TOTAL = 2**62
"""The maximum total of one period before the latest amount is added."""
_NOTHING = "{}"


def _add(insert: sqlite.Insert) -> Executable:
    new, must_halve = insert.excluded, and_(h.c.total > 0, h.c.count >= _HALVE_AT)
    is_same_period = h.c.period == new.period
    today = case((h.c.period_total < _MAX_TOTAL, h.c.period_total), else_=_MAX_TOTAL)
    periods = case((and_(must_halve, h.c.periods > 1), h.c.periods // 2), else_=h.c.periods)
    return insert.on_conflict_do_update(
        index_elements=[h.c.owner, h.c.key],
        set_={
            "count": case((must_halve, h.c.count // 2), else_=h.c.count) + new["count"],
            "total": case((must_halve, h.c.total // 2), else_=h.c.total) + new.total,
            "most": case((h.c.most > new.most, h.c.most), else_=new.most),
            "period": new.period,
            "period_count": case((is_same_period, h.c.period_count), else_=0) + new.period_count,
            "period_total": case((is_same_period, today), else_=0) + new.period_total,
            "periods": case((is_same_period, periods), else_=periods + 1),
            "members": case((new.members == _NOTHING, h.c.members), else_=_merge_members(insert)),
        },
    )


def _merge_members(insert: sqlite.Insert) -> ColumnElement[str]:
    """Return the members of both rows; new values replace old ones."""
    if insert.stringify_dialect == "sqlite":
        return func.json_patch(h.c.members, insert.excluded.members)
    from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415  # loads the dialect

    return cast(cast(h.c.members, JSONB).concat(cast(insert.excluded.members, JSONB)), Text)


_ADD = Upsert(h, _add)
_COLUMNS = [column for column in h.c if column.name != "owner"]
_BY_KEY = [
    select(*_COLUMNS).where(h.c.owner == bindparam(f"owner{n}"), h.c.key == bindparam(f"key{n}"))
    for n in range(_BATCH_SIZE)
]
_BY_KEYS = [Prepared(union_all(*_BY_KEY[: n + 1])) for n in range(_BATCH_SIZE)]
"""One statement for each number of keys.

On SQLite, a union is four times as fast as one SELECT with two IN lists, which checks all pairs.
"""
_FORGET = delete(h).where(h.c.owner == bindparam("owner"))


class History(DatabaseRows):
    """Approval history in the database."""

    def add(self, additions: Sequence[Addition], period: int, now: int) -> None:
        """Add one approval to each of these counters, in this period."""
        rows = [_row(addition, period, now) for addition in additions]
        if rows:
            _ADD.run_each(self._db, rows)

    def fetch(self, keys: Collection[tuple[str, str]]) -> Mapping[str, HistoryRow]:
        """Return the rows by key, without keys that have no history."""
        all_keys = list(keys)
        rows: dict[str, HistoryRow] = {}
        for start in range(0, len(all_keys), _BATCH_SIZE):
            batch = all_keys[start : start + _BATCH_SIZE]
            values = dict(zip(_PARAMETERS, chain.from_iterable(batch), strict=False))
            for key, *row in _BY_KEYS[len(batch) - 1].run(self._db, values):
                rows[key] = HistoryRow(*row)
        return rows

    def forget(self, owner: str) -> None:
        """Delete the history of a deleted agent or user."""
        self._db.execute(_FORGET, {"owner": owner})


def _row(addition: Addition, period: int, now: int) -> dict[str, object]:
    """Return the row of a counter's first addition."""
    members = json.dumps(dict.fromkeys(addition.members, 1)) if addition.members else _NOTHING
    return {
        "owner": addition.owner,
        "key": addition.key,
        "since": now,
        "period": period,
        "members": members,
        **dict.fromkeys(("count", "period_count", "periods"), 1),
        **dict.fromkeys(("total", "most", "period_total"), min(addition.amount, _MAX_AMOUNT)),
    }
