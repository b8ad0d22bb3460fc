"""Results of executions as resources reported them: one per execution, never changed."""

from dataclasses import asdict

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from server.model.approvals import Outcome
from server.storage.prepared import DatabaseRows
from server.storage.tables import outcomes

_VALUES: dict[str, BindParameter[object]] = {
    name: bindparam(name) for name in ("approval_id", "result", "text", "executed_digest", "at")
}
_FIRST = {
    "sqlite": sqlite.insert(outcomes)
    .values(_VALUES)
    .on_conflict_do_nothing()
    .returning(outcomes.c.approval_id),
    "postgresql": postgresql.insert(outcomes)
    .values(_VALUES)
    .on_conflict_do_nothing()
    .returning(outcomes.c.approval_id),
}
_GET = select(outcomes).where(outcomes.c.approval_id == bindparam("approval"))


class Outcomes(DatabaseRows):
    """Execution results in the database."""

    def add_once(self, wanted: Outcome) -> bool:
        """Store a result; False if one was stored before."""
        statement = _FIRST[self._db.dialect.name]
        return bool(self._db.execute(statement, asdict(wanted)).all())

    def get(self, approval_id: str) -> Outcome | None:
        """The result of this approval's execution."""
        row = self._db.execute(_GET, {"approval": approval_id}).mappings().first()
        return None if row is None else Outcome(**row)
