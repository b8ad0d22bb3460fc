"""Counters in time windows, and the rows that limits count.

Each query has a LIMIT and uses an index with the order of its result.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    bindparam,
    case,
    delete,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningDelete

from server.model.operations import (
    CountedLimit,
    LimitRefusal,
    OpenRequest,
    SentNotification,
    Window,
)
from server.protocol import addresses
from server.storage.approvals.tables import approvals as a
from server.storage.audit.tables import audit_entries as e
from server.storage.notifications.tables import notifications as n
from server.storage.operations.tables import counters as c
from server.storage.prepared import ExpiringRows, Prepared, TimedRows, Upsert


def _count(insert: sqlite.Insert) -> Executable:
    ends_at = c.c.window_ends_at
    ended = ends_at <= bindparam("now")
    return insert.on_conflict_do_update(
        index_elements=[c.c.key],
        set_={
            "count": case((ended, 1), else_=c.c.count + 1),
            "window_ends_at": case(
                (ended, insert.excluded.window_ends_at), else_=c.c.window_ends_at
            ),
        },
    ).returning(c.c.count)


_COUNT = Upsert(c, _count)
_PEEK = Prepared(
    select(c.c.count).where(c.c.key == bindparam("key"), c.c.window_ends_at > bindparam("now"))
)
_POP = delete(c).where(c.c.window_ends_at <= bindparam("now")).returning(c)
_POP_KEY = _POP.where(c.c.key == bindparam("key"))
_POP_PREFIX = _POP.where(c.c.key.startswith(bindparam("key"), autoescape=False))


def _key(limit: CountedLimit, subject: str) -> str:
    """Return the counter key of a subject. The addresses of an IPv6 /64 share one."""
    is_address = limit.counted_per == "address"
    return limit.prefix + (addresses.network(subject) if is_address else subject)


class Counters(TimedRows, ExpiringRows):
    """Counters in the database."""

    expires_at = c.c.window_ends_at

    def count(self, key: str, window_ms: int) -> int:
        """Increment the counter of the current window; return the count."""
        window_ends_at = self._now + window_ms
        return self._number(_COUNT, key=key, window_ends_at=window_ends_at, count=1, now=self._now)

    def count_subject(self, limit: CountedLimit, subject: str) -> int:
        """Count an occurrence for a limit; return the subject's count."""
        return self.count(_key(limit, subject), limit.within_ms)

    def peek_subject(self, limit: CountedLimit, subject: str) -> int:
        """Return the current count of a limit's subject."""
        return self.peek(_key(limit, subject))

    def pop_ended(self, key: str) -> list[Window]:
        """Remove and return the window of this key if it has ended."""
        return self._pop(_POP_KEY, key)

    def pop_ended_with_prefix(self, prefix: str) -> list[Window]:
        """Remove and return ended windows of keys with this prefix (no % or _), oldest first."""
        return self._pop(_POP_PREFIX, prefix)

    def peek(self, key: str) -> int:
        """Return the count in the current window."""
        rows = _PEEK.run(self._db, {"key": key, "now": self._now})
        return int(rows[0][0]) if rows else 0

    def _pop(self, statement: ReturningDelete[Any], key: str) -> list[Window]:
        rows = self._db.execute(statement, {"key": key, "now": self._now}).mappings().all()
        windows = [Window(row["key"], row["count"], row["window_ends_at"]) for row in rows]
        return sorted(windows, key=lambda window: (window.ends_at, window.key))


_OPEN = Prepared(
    select(a.c.agent_id, a.c.user_id, a.c.kind)
    .where(
        a.c.state.in_(
            [literal_column("'pending'"), literal_column("'approved'")]
        ),  # same text as in the index
        a.c.state == literal_column("'pending'"),
        a.c.expires_at > bindparam("now"),
    )
    .order_by(a.c.expires_at)
    .limit(bindparam("limit"))
)
_NOTIFICATIONS = Prepared(
    select(n.c.user_id, n.c.agent_id, n.c.types, n.c.lane, n.c.at)
    .where(n.c.at > bindparam("moment"))
    .order_by(n.c.at.desc())
    .limit(bindparam("limit"))
)


def _between(key: ColumnElement[str]) -> Select[tuple[str, int, int]]:
    return (
        select(c.c.key, c.c.count, c.c.window_ends_at)
        .where(
            key >= bindparam("first"),
            key < bindparam("last"),
            c.c.window_ends_at > bindparam("now"),
        )
        .order_by(key)
        .limit(bindparam("limit"))
    )


_OPEN_WINDOWS = {
    "sqlite": Prepared(_between(c.c.key)),
    "postgresql": Prepared(_between(c.c.key.collate("C"))),  # byte order in every locale
}
_REFUSED = Prepared(
    select(e.c.type, e.c.agent_id, e.c.subject, e.c.cause, e.c.at, e.c.body)
    .where(
        e.c.type.in_(
            literal_column(f"'{name}'")  # must be the same text as in the partial index
            for name in ("approval.refused", "agent.paused", "refusals.counted")
        ),
        e.c.at >= bindparam("moment"),
    )
    .order_by(e.c.at.desc())
    .limit(bindparam("limit"))
)


def _select_held_back() -> Select[tuple[str, bool]]:
    """Select held-back requests; the limit precedes the filter, to limit the rows read."""
    newest = (
        select(a.c.user_id, a.c.held_back)
        .where(a.c.created_at >= bindparam("moment"), a.c.user_id.is_not(None))
        .order_by(a.c.created_at.desc())
        .limit(bindparam("limit"))
        .subquery()
    )
    return select(newest.c.user_id, newest.c.held_back).where(newest.c.held_back == true())


_HELD_BACK = Prepared(_select_held_back())


class Limits(TimedRows):
    """The rows in the database that limits apply to."""

    def open(self, limit: int) -> list[OpenRequest]:
        """Return the pending requests, ordered by expiry."""
        return self._many(lambda row: OpenRequest(*row), _OPEN, now=self._now, limit=limit)

    def notifications(self, since: int, limit: int) -> list[SentNotification]:
        """Return the newest notifications since this time."""
        rows = _NOTIFICATIONS.run(self._db, {"moment": since, "limit": limit})
        return [SentNotification(*row) for row in rows]

    def list_windows(self, prefix: str, limit: int) -> list[Window]:
        """Return the open windows of keys with this prefix, by key."""
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        values = {"first": prefix, "last": last, "now": self._now, "limit": limit}
        statement = _OPEN_WINDOWS[self._db.dialect.name]
        return [Window(*row) for row in statement.run(self._db, values)]

    def list_refusals(self, since: int, limit: int) -> list[LimitRefusal]:
        """Return the newest refusals since this time."""
        return self._many(_to_refusal, _REFUSED, moment=since, limit=limit)

    def held_back(self, since: int, limit: int) -> list[str]:
        """Return the users who were not notified of the newest requests since this time."""
        return self._column(_HELD_BACK, moment=since, limit=limit)


def _to_refusal(row: Sequence[Any]) -> LimitRefusal:
    kind, agent_id, subject, cause, at, body = row
    return LimitRefusal(kind, agent_id, subject, cause, at, bytes(body))
