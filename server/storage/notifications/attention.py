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
    literal_column,
    or_,
    select,
    update,
)

from server.model.notifications import Hold, Mute, NotificationPreferences, Why
from server.model.policy import Hours
from server.storage.notifications.tables import holds as h
from server.storage.notifications.tables import mutes as m
from server.storage.notifications.tables import quiet_hours as q
from server.storage.prepared import DatabaseRows, Prepared, RecordTable, insert_or_replace

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
_HAS_ENDED = h.c.until <= bindparam("now")
_DUE = Prepared(select(h).where(_HAS_ENDED).order_by(h.c.until).limit(bindparam("limit")))
_RELEASE = (
    delete(h)
    .where(h.c.user_id == _USER, h.c.approval_id == bindparam("approval"), _HAS_ENDED)
    .returning(h)
)
_MUTED_AGENTS, _HELD_REQUESTS = RecordTable(Mute, m), RecordTable(Hold, h)
_PUT_QUIET = insert_or_replace(q)


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
        row = {
            "user_id": user_id,
            "days": json.dumps(hours.days),
            "begins": hours.begins.isoformat("minutes"),
            "ends": hours.ends.isoformat("minutes"),
            "zone": hours.zone,
            "set_at": now,
        }
        _PUT_QUIET.run(self._db, row)

    def clear_quiet_hours(self, user_id: str) -> bool:
        """Remove the quiet hours; return whether there were any."""
        return self._change(delete(q).where(q.c.user_id == user_id))

    def mute(self, mute: Mute) -> None:
        """Add or replace a mute."""
        _MUTED_AGENTS.put(self._db, mute)

    def unmute(self, user_id: str, agent_id: str) -> bool:
        """Remove a mute; return whether there was one."""
        muted = m.c.user_id == user_id, m.c.agent_id == agent_id
        return self._change(delete(m).where(*muted))

    def mutes(self, user_id: str, now: int) -> list[Mute]:
        """Return the current mutes, by agent."""
        return self._many(_MUTED_AGENTS.read, _MUTES, user=user_id, now=now)

    def hold(self, hold: Hold) -> None:
        """Add or replace a hold."""
        _HELD_REQUESTS.put(self._db, hold)

    def unhold(self, user_id: str, approval_id: str) -> bool:
        """Remove a hold; return whether there was one."""
        held = h.c.user_id == user_id, h.c.approval_id == approval_id
        return self._change(delete(h).where(*held))

    def holds(self, user_id: str, now: int) -> list[Hold]:
        """Return the current holds, ordered by end time."""
        return self._many(_HELD_REQUESTS.read, _HOLDS, user=user_id, now=now)

    def end_quiet(self, user_id: str, now: int) -> None:
        """End the holds that quiet hours caused."""
        quiet = h.c.user_id == user_id, h.c.why == "quiet_hours", h.c.until > now
        self._change(update(h).where(*quiet).values(until=now))

    def due(self, now: int, limit: int) -> list[Hold]:
        """Return ended holds, earliest first."""
        return self._many(_HELD_REQUESTS.read, _DUE, now=now, limit=limit)

    def release(self, hold: Hold, now: int) -> Hold | None:
        """Remove and return the hold of this person and request if it has ended.

        Only one call returns it.
        """
        values = {"user": hold.user_id, "approval": hold.approval_id, "now": now}
        return self._one(_HELD_REQUESTS.read, _RELEASE, **values)


def _hours(row: Sequence[str]) -> Hours:
    begins, ends, days, zone = row
    day_numbers = tuple(json.loads(days))
    return Hours(time.fromisoformat(begins), time.fromisoformat(ends), day_numbers, zone)
