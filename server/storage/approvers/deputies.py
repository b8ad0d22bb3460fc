"""Users' deputies, in the database."""

from sqlalchemy import BindParameter, and_, bindparam, delete, or_, select

from server.model.approvers import Deputy
from server.storage.approvers.tables import approvers as p
from server.storage.approvers.tables import deputies as d
from server.storage.prepared import Prepared, RecordRows, RecordTable

_NOW: BindParameter[int] = bindparam("now")
_LIVE = d.c.state != "over"
_ALL = select(d).where(_LIVE, d.c.to_at > _NOW).order_by(d.c.to_at, d.c.id)
_BY_USER = _ALL.where(d.c.user_id == bindparam("user"))
_BY_DEPUTY = _ALL.where(d.c.deputy_id == bindparam("user"))
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
_REMOVE_FROM_PENDING = delete(p).where(
    p.c.user_id == bindparam("deputy"),
    p.c.stands_for == bindparam("user"),
    p.c.why == "deputy",
    p.c.over_at.is_(None),
)


class Deputies(RecordRows[Deputy, str]):
    """Deputies in the database."""

    records = RecordTable(Deputy, d)

    def of_user(self, user_id: str, now: int) -> list[Deputy]:
        """Return the user's current and upcoming deputies."""
        return self._list(_BY_USER, user=user_id, now=now)

    def of_deputy(self, deputy_id: str, now: int) -> list[Deputy]:
        """Return the current and upcoming terms in which this user is a deputy."""
        return self._list(_BY_DEPUTY, user=deputy_id, now=now)

    def live(self, now: int) -> list[Deputy]:
        """Return all current and upcoming deputies, by end date."""
        return self._list(_ALL, now=now)

    def deciding(self, user_id: str, deputy_id: str, now: int) -> Deputy | None:
        """Return the row that lets the deputy decide for the user at this time."""
        return self._find(_DECIDING, user=user_id, deputy=deputy_id, now=now)

    def due(self, now: int, limit: int) -> list[Deputy]:
        """Return the deputies whose term is due to start or end."""
        return self._list(_DUE, now=now, limit=limit)

    def begin(self, deputy_id: str) -> bool:
        """Mark a deputy's term as started; at most one call returns True."""
        return self._set(deputy_id, d.c.state == "named", state="begun")

    def end(self, deputy_id: str, *, revoked_at: int | None) -> bool:
        """Mark a deputy's term as ended; at most one call returns True."""
        return self._set(deputy_id, _LIVE, state="over", revoked_at=revoked_at)

    def remove_from_pending(self, user_id: str, deputy_id: str) -> None:
        """Remove this deputy from the user's pending requests."""
        self._db.execute(_REMOVE_FROM_PENDING, {"user": user_id, "deputy": deputy_id})
