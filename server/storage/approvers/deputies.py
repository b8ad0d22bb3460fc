"""Deputies of users, in the database."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, delete, insert, or_, select, update

from server.model.approvers import Deputy
from server.storage.prepared import DatabaseRows, Prepared, reading
from server.storage.tables import approvers as p
from server.storage.tables import deputies as d

_NOW: BindParameter[int] = bindparam("now")
_LIVE = d.c.state != "over"
_GET = select(d).where(d.c.id == bindparam("deputy"))
_ALL = select(d).where(_LIVE, d.c.to_at > _NOW).order_by(d.c.to_at, d.c.id)
_OF_USER = _ALL.where(d.c.user_id == bindparam("user"))
_OF_DEPUTY = _ALL.where(d.c.deputy_id == bindparam("user"))
_DECIDING = (
    _ALL.where(d.c.user_id == bindparam("user"), d.c.deputy_id == bindparam("deputy"))
    .where(d.c.from_at <= _NOW)
    .limit(1)
)
_DUE = Prepared(
    select(d)
    .where(_LIVE, or_(d.c.to_at <= _NOW, and_(d.c.state == "named", d.c.from_at <= _NOW)))
    .order_by(d.c.id)
    .limit(bindparam("limit"))
)
_BEGIN = (
    update(d)
    .where(d.c.id == bindparam("deputy"), d.c.state == "named")
    .values(state="begun")
    .returning(d.c.id)
)
_END = (
    update(d)
    .where(d.c.id == bindparam("deputy"), _LIVE)
    .values(state="over", revoked_at=bindparam("at"))
    .returning(d.c.id)
)
_REMOVE_FROM_PENDING = delete(p).where(
    p.c.user_id == bindparam("deputy"),
    p.c.stands_for == bindparam("user"),
    p.c.why == "deputy",
    p.c.over_at.is_(None),
)
_record = reading(Deputy, d)


class Deputies(DatabaseRows):
    """Deputies in the database."""

    def add(self, deputy: Deputy) -> None:
        """Store a new deputy."""
        self._db.execute(insert(d), asdict(deputy))

    def get(self, deputy_id: str) -> Deputy | None:
        """The deputy with this id, also an ended one."""
        return next(iter(self._many(_GET, {"deputy": deputy_id})), None)

    def of_user(self, user_id: str, now: int) -> list[Deputy]:
        """The deputies of this user that have not ended."""
        return self._many(_OF_USER, {"user": user_id, "now": now})

    def of_deputy(self, deputy_id: str, now: int) -> list[Deputy]:
        """The deputyships of this user that have not ended."""
        return self._many(_OF_DEPUTY, {"user": deputy_id, "now": now})

    def live(self, now: int) -> list[Deputy]:
        """All deputies that have not ended, by end."""
        return self._many(_ALL, {"now": now})

    def deciding(self, user_id: str, deputy_id: str, now: int) -> Deputy | None:
        """The entry that lets the deputy decide for the user at this time."""
        values = {"user": user_id, "deputy": deputy_id, "now": now}
        return next(iter(self._many(_DECIDING, values)), None)

    def due(self, now: int, limit: int) -> list[Deputy]:
        """The deputies whose beginning or end is due."""
        rows = _DUE.run(self._db, {"now": now, "limit": limit})
        return [_record(row) for row in rows]

    def begin(self, deputy_id: str) -> bool:
        """Mark as begun; at most one call returns True."""
        return bool(self._db.execute(_BEGIN, {"deputy": deputy_id}).all())

    def end(self, deputy_id: str, *, revoked_at: int | None) -> bool:
        """Mark as ended; at most one call returns True."""
        values = {"deputy": deputy_id, "at": revoked_at}
        return bool(self._db.execute(_END, values).all())

    def remove_from_pending(self, user_id: str, deputy_id: str) -> None:
        """Remove this deputy from the user's pending requests."""
        self._db.execute(_REMOVE_FROM_PENDING, {"user": user_id, "deputy": deputy_id})

    def _many(self, statement: Select[Any], values: Mapping[str, object]) -> list[Deputy]:
        return [_record(row) for row in self._db.execute(statement, values).all()]
