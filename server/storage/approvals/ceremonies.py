"""Attempts at ceremony steps. One statement counts each attempt before the entry is compared."""

from collections.abc import Mapping

from sqlalchemy import BindParameter, Connection, Executable, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.protocol.approvals.ceremonies import Step
from server.storage.prepared import Prepared
from server.storage.tables import ceremony_tries as t

_VALUES: dict[str, BindParameter[object]] = {
    "approval_id": bindparam("approval"),
    "step": bindparam("of_step"),
    "user_id": bindparam("by"),
    "tries": bindparam("one"),
}


def _count(insert: sqlite.Insert | postgresql.Insert) -> Executable:
    return insert.on_conflict_do_update(
        index_elements=[t.c.approval_id, t.c.step, t.c.user_id],
        set_={"tries": t.c.tries + 1},
        where=t.c.tries < bindparam("most"),
    ).returning(t.c.tries)


_COUNT = {
    "sqlite": Prepared(_count(sqlite.insert(t).values(_VALUES))),
    "postgresql": Prepared(_count(postgresql.insert(t).values(_VALUES))),
}
_UNCOUNT = Prepared(
    update(t)
    .where(
        t.c.approval_id == bindparam("approval"),
        t.c.step == bindparam("of_step"),
        t.c.user_id == bindparam("by"),
        t.c.tries > 0,
    )
    .values(tries=t.c.tries - 1)
)
_OF = Prepared(
    select(t.c.step, t.c.tries).where(
        t.c.approval_id == bindparam("approval"),
        t.c.user_id.in_([bindparam("first"), bindparam("second")]),
    )
)


class CeremonyTries:
    """Ceremony attempts in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, approval_id: str, step: Step, user_id: str, most: int) -> int | None:
        """Count one more attempt and return the total; None if there were `most` before."""
        values = {"approval": approval_id, "of_step": str(step), "by": user_id}
        statement = _COUNT[self._connection.dialect.name]
        rows = statement.run(self._connection, {**values, "one": 1, "most": most})
        return int(rows[0][0]) if rows else None

    def uncount(self, approval_id: str, step: Step, user_id: str) -> None:
        """Subtract one attempt, after a correct entry."""
        values = {"approval": approval_id, "of_step": str(step), "by": user_id}
        _UNCOUNT.run(self._connection, values)

    def of(self, approval_id: str, user_ids: tuple[str, str]) -> Mapping[Step, int]:
        """The number of attempts at each step."""
        first, second = user_ids
        values = {"approval": approval_id, "first": first, "second": second}
        return {Step(row[0]): row[1] for row in _OF.run(self._connection, values)}
