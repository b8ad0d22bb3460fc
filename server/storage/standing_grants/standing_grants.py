"""Standing grants and their uses. The UPDATE that reserves a use checks all limits."""

from sqlalchemy import Update, and_, bindparam, func, literal_column, or_, select, tuple_, update

from server.model.standing_grants import GrantUse, StandingGrant
from server.protocol.policy.risks import Risk
from server.storage.codec import load_tuple
from server.storage.prepared import (
    Prepared,
    RecordRows,
    RecordTable,
    insert_row,
    matches,
    record_reader,
    row_writer,
)
from server.storage.standing_grants.tables import grant_uses as u
from server.storage.standing_grants.tables import standing_grants as g

_NOT_ENDED = g.c.ended_at.is_(None)
_IN_FORCE = and_(_NOT_ENDED, g.c.expires_at > bindparam("now"))
_NEWEST = (g.c.created_at.desc(), g.c.id.desc())
_LIVE = Prepared(
    select(g)
    .where(
        g.c.user_id == bindparam("user"),
        g.c.agent_id == bindparam("agent"),
        g.c.resource == bindparam("resource"),
        _IN_FORCE,
    )
    .order_by(g.c.created_at, g.c.id)
)
_COUNT = select(func.count()).select_from(g).where(g.c.user_id == bindparam("user"), _IN_FORCE)
_LOCK_IN_FORCE = Prepared(
    select(g.c.id).where(g.c.id == bindparam("grant"), _IN_FORCE).with_for_update(read=True)
)
"""On PostgreSQL, this locks the row, so that a revocation waits until the unit of work ends."""
_WITHIN_TOTAL = or_(
    and_(g.c.sum_minor.is_(None), bindparam("minor") == literal_column("0")),
    g.c.spent_minor + bindparam("minor") <= g.c.sum_minor,
)
_RESERVE = (
    update(g)
    .where(g.c.id == bindparam("grant"), _IN_FORCE, g.c.used < g.c.uses, _WITHIN_TOTAL)
    .values(
        used=g.c.used + 1,
        numbered=g.c.numbered + 1,
        spent_minor=g.c.spent_minor + bindparam("minor"),
    )
    .returning(g.c.numbered)
)
_END = (
    update(g)
    .where(_IN_FORCE)
    .values(ended_at=bindparam("now"), ended_because=bindparam("reason"))
    .returning(g)
)
_LOCK_IN_ORDER = select(g.c.id).where(_IN_FORCE).order_by(g.c.id).with_for_update()
"""On PostgreSQL, an UPDATE locks rows in any order, so two that end several could deadlock."""
_USE = Prepared(insert_row(u))
_USES = select(u).where(u.c.grant_id == bindparam("grant")).order_by(u.c.number)


def _set_state(state: str) -> Update:
    """Return the UPDATE that moves a reserved use to a different state."""
    return (
        update(u)
        .where(u.c.approval_id == bindparam("approval"), u.c.state == literal_column("'reserved'"))
        .values(state=state)
        .returning(u)
    )


_RELEASE = Prepared(_set_state("released"))
_SPEND = Prepared(_set_state("spent"))
_read_use, _use_values = record_reader(GrantUse, u), row_writer(u)


class StandingGrants(RecordRows[StandingGrant, str]):
    """Standing grants in the database."""

    records = RecordTable(StandingGrant, g, scopes=load_tuple, risk=Risk)

    def live(self, user_id: str, agent_id: str, resource: str, now: int) -> list[StandingGrant]:
        """Return the grants in force, including used-up ones, oldest first."""
        return self._list(_LIVE, user=user_id, agent=agent_id, resource=resource, now=now)

    def live_count(self, user_id: str, now: int) -> int:
        """Return the number of this user's grants in force."""
        return self._number(_COUNT, user=user_id, now=now)

    def in_force(self, grant_id: str, now: int) -> bool:
        """Return whether the grant is in force, and lock it until the unit of work ends."""
        return self._any(_LOCK_IN_FORCE, grant=grant_id, now=now)

    def search(
        self,
        *,
        user_id: str | None,
        agent_ids: tuple[str, ...] | None,
        live_at: int | None,
        limit: int,
        before: tuple[int, str] | None = None,
    ) -> list[StandingGrant]:
        """Return the newest grants that match all filters; `before` is a (created_at, id)."""
        statement = select(g).where(*matches(g, user_id=user_id)).order_by(*_NEWEST).limit(limit)
        if agent_ids is not None:
            statement = statement.where(g.c.agent_id.in_(agent_ids))
        if live_at is not None:
            statement = statement.where(_NOT_ENDED, g.c.expires_at > live_at)
        if before is not None:
            statement = statement.where(tuple_(g.c.created_at, g.c.id) < tuple_(*before))
        return self._list(statement)

    def uses_of(self, grant_id: str) -> list[GrantUse]:
        """Return the uses of a grant, by number."""
        return self._many(_read_use, _USES, grant=grant_id)

    def reserve(self, grant_id: str, approval_id: str, minor: int, now: int) -> GrantUse | None:
        """Reserve a use for this approval; None if a limit would be exceeded."""
        numbers = self._column(_RESERVE, grant=grant_id, minor=minor, now=now)
        if not numbers:
            return None
        use = GrantUse(grant_id, numbers[0], approval_id, minor, "reserved", now)
        _USE.run(self._db, _use_values(use))
        return use

    def release(self, approval_id: str) -> GrantUse | None:
        """Release the use that this approval reserved; None if there is no such use."""
        use = self._one(_read_use, _RELEASE, approval=approval_id)
        if use is not None:
            self._set(use.grant_id, used=g.c.used - 1, spent_minor=g.c.spent_minor - use.minor)
        return use

    def spend(self, approval_id: str) -> GrantUse | None:
        """Mark the use that this approval reserved as spent."""
        return self._one(_read_use, _SPEND, approval=approval_id)

    def end(self, reason: str, now: int, **columns: str) -> list[StandingGrant]:
        """Revoke the grants with these column values; return the revoked grants.

        Locks the rows by ID first, because an UPDATE of several rows locks them in any order.
        """
        self._db.execute(_LOCK_IN_ORDER.filter_by(**columns), {"now": now})
        return self._list(_END.filter_by(**columns), reason=reason, now=now)
