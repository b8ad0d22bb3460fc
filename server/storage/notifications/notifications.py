"""Rows of notifications in the last hour, for rate limits."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, literal_column, select

from server.model.notifications import Lane, RecentNotifications
from server.storage.prepared import Prepared, adding
from server.storage.tables import approvals as a
from server.storage.tables import incidents as i
from server.storage.tables import notifications as n

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS

_ADD = Prepared(adding(n))
_LAST_MINUTE = n.c.at > bindparam("minute")
_BY_AGENT = n.c.agent_id == bindparam("agent")
_REPORTED = exists().where(
    i.c.user_id == bindparam("user"),
    i.c.state == literal_column("'open'"),
    a.c.id == i.c.approval_id,
    a.c.agent_id == bindparam("agent"),
)
_RECENT = Prepared(
    select(
        func.count().filter(_LAST_MINUTE),
        func.count(),
        func.count().filter(and_(_BY_AGENT, _LAST_MINUTE)),
        func.count().filter(_BY_AGENT),
        func.count().filter(n.c.types == bindparam("kind")),
        select(_REPORTED).scalar_subquery(),
    )
    .select_from(n)
    .where(
        n.c.user_id == bindparam("user"), n.c.at > bindparam("hour"), n.c.lane == bindparam("lane")
    )
)
_PRUNE = delete(n).where(n.c.at <= bindparam("hour")).returning(n.c.id)


def _record(row: Sequence[int]) -> RecentNotifications:
    minute, hour, agent_minute, agent_hour, type_hour, reported = row
    return RecentNotifications(
        minute, hour, agent_minute, agent_hour, type_hour, reported=bool(reported)
    )


class Notifications:
    """Notifications in the database."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._db = connection
        self._now = now

    def add(self, user_id: str, agent_id: str, types: str, lane: Lane) -> None:
        """Add a notification."""
        values = {
            "user_id": user_id,
            "agent_id": agent_id,
            "types": types,
            "lane": lane,
            "at": self._now,
        }
        _ADD.run(self._db, values)

    def recent(self, user_id: str, agent_id: str, types: str, lane: Lane) -> RecentNotifications:
        """The numbers of notifications in the last minute and hour, in this lane."""
        values = {
            "user": user_id,
            "agent": agent_id,
            "kind": types,
            "lane": lane,
            "minute": self._now - _MINUTE_MS,
            "hour": self._now - _HOUR_MS,
        }
        return _record(_RECENT.run(self._db, values)[0])

    def prune(self) -> int:
        """Delete notifications that are no longer counted."""
        values = {"hour": self._now - _HOUR_MS}
        return len(self._db.execute(_PRUNE, values).all())
