"""Rows that limits count. Each query has a LIMIT, and an index in the order of its result."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, literal_column, select, true

from server.model.operations import LimitRefusal, OpenRequest, SentNotification, Window
from server.storage.audit.tables import audit_entries as e
from server.storage.prepared import Prepared
from server.storage.tables import approvals as a
from server.storage.tables import counters as c
from server.storage.tables import notifications as n

_OPEN = Prepared(
    select(a.c.agent_id, a.c.user_id, a.c.kind)
    .where(
        a.c.state.in_([literal_column("'pending'"), literal_column("'approved'")]),  # as the index
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


_COUNTED = {
    "sqlite": Prepared(_between(c.c.key)),
    "postgresql": Prepared(_between(c.c.key.collate("C"))),  # byte order, whatever the locale
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


def _newest() -> Select[tuple[str, bool]]:
    """Limits the requests before the filter, so that the number of rows read is bounded."""
    found = (
        select(a.c.user_id, a.c.held_back)
        .where(a.c.created_at >= bindparam("moment"), a.c.user_id.is_not(None))
        .order_by(a.c.created_at.desc())
        .limit(bindparam("limit"))
        .subquery()
    )
    return select(found.c.user_id, found.c.held_back).where(found.c.held_back == true())


_HELD_BACK = Prepared(_newest())


class Limits:
    """The rows that limits count in the database."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._db = connection
        self._now = now

    def open(self, limit: int) -> list[OpenRequest]:
        """The pending requests, the first to expire first."""
        rows = _OPEN.run(self._db, {"now": self._now, "limit": limit})
        return [OpenRequest(*row) for row in rows]

    def notifications(self, since: int, limit: int) -> list[SentNotification]:
        """The newest notifications since then."""
        rows = _NOTIFICATIONS.run(self._db, {"moment": since, "limit": limit})
        return [SentNotification(*row) for row in rows]

    def counted(self, prefix: str, limit: int) -> list[Window]:
        """The open windows of keys with this prefix, by key."""
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        values = {"first": prefix, "last": last, "now": self._now, "limit": limit}
        statement = _COUNTED[self._db.dialect.name]
        return [Window(*row) for row in statement.run(self._db, values)]

    def refused(self, since: int, limit: int) -> list[LimitRefusal]:
        """The newest refusals since then."""
        rows = _REFUSED.run(self._db, {"moment": since, "limit": limit})
        return [_refused(row) for row in rows]

    def held_back(self, since: int, limit: int) -> list[str]:
        """The users of the newest requests since then that did not notify."""
        rows = _HELD_BACK.run(self._db, {"moment": since, "limit": limit})
        return [str(row[0]) for row in rows]


def _refused(row: Sequence[Any]) -> LimitRefusal:
    kind, agent_id, subject, cause, at, body = row
    return LimitRefusal(kind, agent_id, subject, cause, at, bytes(body))
