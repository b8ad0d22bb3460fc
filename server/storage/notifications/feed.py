"""Rows of feed events.

`seq` is the cursor. On SQLite, the only writer numbers an event when it adds it. On PostgreSQL,
transactions commit out of order, so events are added without a number, and an elected sequencer
numbers them in the order in which it sees them. Therefore, readers never miss an event.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    select,
    update,
)

from server.model.notifications import FeedEvent, Lane, RecentNotifications
from server.storage.approvals.tables import approvals as a
from server.storage.incidents.tables import incidents as i
from server.storage.notifications.tables import feed_events as f
from server.storage.notifications.tables import notifications as n
from server.storage.prepared import ExpiringRows, Prepared, TimedRows, arrays, insert_row

_NEXT = select(func.coalesce(func.max(f.c.seq), 0) + 1).scalar_subquery()
_ADD_NUMBERED = Prepared(insert_row(f, without="seq").values(seq=_NEXT))
_ADD_UNNUMBERED = Prepared(insert_row(f, without="seq"))
_HEAD = select(func.coalesce(func.max(f.c.seq), 0))
_FLOOR = select(func.coalesce(func.min(f.c.seq), 0))
_EVENTS_AFTER = (
    select(*(column for column in f.c if column.key != "id"))
    .where(f.c.seq > bindparam("cursor"))
    .order_by(f.c.seq)
    .limit(bindparam("limit"))
)
_AFTER = Prepared(_EVENTS_AFTER)
_USER_EVENTS_AFTER = Prepared(_EVENTS_AFTER.where(f.c.user_id == bindparam("user")))
_PRUNE = delete(f).where(f.c.at < bindparam("before"), f.c.seq < _HEAD.scalar_subquery())
_UNNUMBERED = select(f.c.id).where(f.c.seq.is_(None)).order_by(f.c.id).limit(bindparam("limit"))
_NUMBERED = arrays("numbered", f.c.id, f.c.seq)
_NUMBER = update(f).where(f.c.id == _NUMBERED.c.id).values(seq=_NUMBERED.c.seq)


class Feed(TimedRows):
    """Feed events in the database."""

    def __init__(self, connection: Connection, now: int, on_add: Callable[[], None]) -> None:
        super().__init__(connection, now)
        self._on_add = on_add
        one_writer = connection.dialect.name == "sqlite"
        self._add = _ADD_NUMBERED if one_writer else _ADD_UNNUMBERED

    def add(  # noqa: PLR0913  # one for each subject of an event
        self,
        user_id: str,
        event: str,
        *,
        approval_id: str | None = None,
        device_id: str | None = None,
        not_notified_because: str | None = None,
        agent_id: str | None = None,
        incident_id: str | None = None,
    ) -> None:
        """Add an event for this user's screens."""
        values = {
            "user_id": user_id,
            "event": event,
            "at": self._now,
            "approval_id": approval_id,
            "device_id": device_id,
            "held": not_notified_because,
            "agent_id": agent_id,
            "incident_id": incident_id,
        }
        self._add.run(self._db, values)
        self._on_add()

    def head(self) -> int:
        """Return the newest cursor; 0 if there are no events."""
        return self._number(_HEAD)

    def floor(self) -> int:
        """Return the oldest cursor; 0 if there are no events."""
        return self._number(_FLOOR)

    def events_after(self, cursor: int, user_id: str | None, limit: int) -> list[FeedEvent]:
        """Return events after the cursor, for one user or for all (None), oldest first."""
        values = {"cursor": cursor, "user": user_id, "limit": limit}
        statement = _AFTER if user_id is None else _USER_EVENTS_AFTER
        return [FeedEvent(*row) for row in statement.run(self._db, values)]

    def prune(self, before: int) -> int:
        """Delete older events. The newest event is kept, so that numbering continues."""
        return self._count_changes(_PRUNE, before=before)

    def number(self, limit: int) -> int:
        """Number new events; return their count. The caller holds the sequencer's lock."""
        ids = self._column(_UNNUMBERED, limit=limit)
        first = self.head() + 1
        if ids:
            numbers = [*range(first, first + len(ids))]
            self._db.execute(_NUMBER, {"id_array": ids, "seq_array": numbers})
        return len(ids)


_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS

_ADD = Prepared(insert_row(n))
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


class Notifications(TimedRows, ExpiringRows):
    """Notifications in the database, kept as long as they count toward limits."""

    expires_at = n.c.at
    kept_ms = _HOUR_MS

    def add(self, user_id: str, agent_id: str, action_types: str, lane: Lane) -> None:
        """Add a notification."""
        values = {
            "user_id": user_id,
            "agent_id": agent_id,
            "types": action_types,
            "lane": lane,
            "at": self._now,
        }
        _ADD.run(self._db, values)

    def recent(
        self, user_id: str, agent_id: str, action_types: str, lane: Lane
    ) -> RecentNotifications:
        """Count the notifications in this lane in the last minute and the last hour."""
        values = {
            "user": user_id,
            "agent": agent_id,
            "kind": action_types,
            "lane": lane,
            "minute": self._now - _MINUTE_MS,
            "hour": self._now - _HOUR_MS,
        }
        minute, hour, agent_minute, agent_hour, type_hour, reported = _RECENT.run(self._db, values)[
            0
        ]
        return RecentNotifications(
            minute, hour, agent_minute, agent_hour, type_hour, reported=bool(reported)
        )
