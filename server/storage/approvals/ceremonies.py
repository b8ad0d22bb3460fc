"""Attempts at ceremony steps: one statement counts an attempt before the entry is checked."""

from collections.abc import Mapping

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.dialects import sqlite

from server.protocol.approvals.ceremonies import Step
from server.storage.approvals.tables import ceremony_tries as t
from server.storage.prepared import DatabaseRows, Prepared, Upsert


def _count(insert: sqlite.Insert) -> Executable:
    return insert.on_conflict_do_update(
        index_elements=[t.c.approval_id, t.c.step, t.c.user_id],
        set_={"tries": t.c.tries + 1},
        where=t.c.tries < bindparam("limit"),
    ).returning(t.c.tries)


_COUNT = Upsert(t, _count)
_COUNTS = Prepared(
    select(t.c.step, t.c.tries).where(
        t.c.approval_id == bindparam("approval"),
        t.c.user_id.in_([bindparam("first"), bindparam("second")]),
    )
)


class CeremonyAttempts(DatabaseRows):
    """Ceremony attempts in the database."""

    def count_attempt(self, approval_id: str, step: Step, user_id: str, limit: int) -> int | None:
        """Add an attempt and return the total, or None if `limit` attempts were already used."""
        row = {"approval_id": approval_id, "step": str(step), "user_id": user_id, "tries": 1}
        rows = _COUNT.run(self._db, {**row, "limit": limit})
        return int(rows[0][0]) if rows else None

    def undo_attempt(self, approval_id: str, step: Step, user_id: str) -> None:
        """Subtract one attempt, after a correct entry."""
        row = t.c.approval_id == approval_id, t.c.step == str(step), t.c.user_id == user_id
        self._change(update(t).where(*row, t.c.tries > 0).values(tries=t.c.tries - 1))

    def counts_by_step(self, approval_id: str, user_ids: tuple[str, str]) -> Mapping[Step, int]:
        """Return the number of attempts at each step."""
        first, second = user_ids
        values = {"approval": approval_id, "first": first, "second": second}
        return {Step(row[0]): row[1] for row in _COUNTS.run(self._db, values)}
