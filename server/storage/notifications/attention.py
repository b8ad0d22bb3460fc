"""Rows of notification settings: quiet hours, mutes, holds."""

import json
from collections.abc import Sequence
from datetime import time
from typing import cast

from sqlalchemy import (
    BindParameter,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from server.model.notifications import Hold, Mute, NotificationPreferences, Why
from server.model.policy import Hours
from server.storage.notifications.tables import holds as h
from server.storage.notifications.tables import mutes as m
from server.storage.notifications.tables import quiet_hours as q
from server.storage.prepared import DatabaseRows, Prepared, RecordTable

_MUTED = and_(
    m.c.user_id == bindparam("user"),
    m.c.agent_id == bindparam("agent"),
    or_(m.c.until.is_(None), m.c.until > bindparam("now")),
)
_HELD = and_(
    h.c.user_id == bindparam("user"),
    h.c.approval_id == bindparam("approval"),
    h.c.until > bindparam("now"),
)
_ONE = select(literal_column("1").label("one")).subquery()
_PREFERENCES = Prepared(
    select(m.c.agent_id, h.c.until, h.c.why, q.c.begins, q.c.ends, q.c.days, q.c.zone).select_from(
        _ONE.outerjoin(m, _MUTED).outerjoin(h, _HELD).outerjoin(q, q.c.user_id == bindparam("user"))
    )
)
_USER: BindParameter[str] = bindparam("user")
_QUIET = select(q.c.begins, q.c.ends, q.c.days, q.c.zone).where(q.c.user_id == _USER)
_MUTES = (
    select(m)
    .where(m.c.user_id == _USER, or_(m.c.until.is_(None), m.c.until > bindparam("now")))
    .order_by(m.c.agent_id)
)
_HOLDS = (
    select(h)
    .where(h.c.user_id == _USER, h.c.until > bindparam("now"))
    .order_by(h.c.until, h.c.approval_id)
)
_ENDED_HOLDS = select(h.c.user_id, h.c.approval_id).where(h.c.until <= bindparam("now"))
_DUE = Prepared(_ENDED_HOLDS.limit(1))
_ended_batch = (
    _ENDED_HOLDS.order_by(h.c.until).limit(bindparam("limit")).with_for_update(skip_locked=True)
)
_batch = _ended_batch.cte("batch")  # in a subquery, PostgreSQL may select the batch more than once
_RELEASE = (
    delete(h)
    .where(tuple_(h.c.user_id, h.c.approval_id).in_(select(_batch.c.user_id, _batch.c.approval_id)))
    .returning(h)
)
_MUTED_AGENTS, _HELD_REQUESTS = RecordTable(Mute, m), RecordTable(Hold, h)


class Attention(DatabaseRows):
    """Notification settings in the database."""

    def preferences(
        self, user_id: str, agent_id: str, approval_id: str, now: int
    ) -> NotificationPreferences:
        """Return the person's preferences for this request."""
        values = {"user": user_id, "agent": agent_id, "approval": approval_id, "now": now}
        muted, until, why, *quiet = _PREFERENCES.run(self._db, values)[0]
        return NotificationPreferences(
            muted=muted is not None,
            hold=None if until is None else Hold(approval_id, user_id, until, cast("Why", why)),
            quiet=None if quiet[0] is None else _hours(quiet),
        )

    def quiet_hours(self, user_id: str) -> Hours | None:
        """Return the quiet hours of this person."""
        row = self._db.execute(_QUIET, {"user": user_id}).first()
        return None if row is None else _hours(row)

    def set_quiet_hours(self, user_id: str, hours: Hours, now: int) -> None:
        """Set or replace the quiet hours."""
        self.clear_quiet_hours(user_id)
        row = {
            "user_id": user_id,
            "days": json.dumps(hours.days),
            "begins": hours.begins.isoformat("minutes"),
            "ends": hours.ends.isoformat("minutes"),
            "zone": hours.zone,
            "set_at": now,
        }
        self._db.execute(insert(q), row)

    def clear_quiet_hours(self, user_id: str) -> bool:
        """Remove the quiet hours; returns whether there were any."""
        return self._change(delete(q).where(q.c.user_id == user_id))

    def mute(self, mute: Mute) -> None:
        """Add or replace a mute."""
        self.unmute(mute.user_id, mute.agent_id)
        _MUTED_AGENTS.add(self._db, mute)

    def unmute(self, user_id: str, agent_id: str) -> bool:
        """Remove a mute; returns whether there was one."""
        muted = m.c.user_id == user_id, m.c.agent_id == agent_id
        return self._change(delete(m).where(*muted))

    def mutes(self, user_id: str, now: int) -> list[Mute]:
        """Return the current mutes, by agent."""
        return self._many(_MUTED_AGENTS.read, _MUTES, user=user_id, now=now)

    def hold(self, hold: Hold) -> None:
        """Add or replace a hold."""
        self.unhold(hold.user_id, hold.approval_id)
        _HELD_REQUESTS.add(self._db, hold)

    def unhold(self, user_id: str, approval_id: str) -> bool:
        """Remove a hold; returns whether there was one."""
        held = h.c.user_id == user_id, h.c.approval_id == approval_id
        return self._change(delete(h).where(*held))

    def holds(self, user_id: str, now: int) -> list[Hold]:
        """Return the current holds, ordered by when they end."""
        return self._many(_HELD_REQUESTS.read, _HOLDS, user=user_id, now=now)

    def end_quiet(self, user_id: str, now: int) -> None:
        """End the holds that quiet hours caused."""
        quiet = h.c.user_id == user_id, h.c.why == "quiet_hours", h.c.until > now
        self._change(update(h).where(*quiet).values(until=now))

    def due(self, now: int) -> bool:
        """Return whether any hold has ended."""
        return self._any(_DUE, now=now)

    def release(self, now: int, limit: int) -> list[Hold]:
        """Remove and return ended holds; each is returned by only one call."""
        return self._many(_HELD_REQUESTS.read, _RELEASE, now=now, limit=limit)


def _hours(row: Sequence[str]) -> Hours:
    begins, ends, days, zone = row
    day_numbers = tuple(json.loads(days))
    return Hours(time.fromisoformat(begins), time.fromisoformat(ends), day_numbers, zone)
