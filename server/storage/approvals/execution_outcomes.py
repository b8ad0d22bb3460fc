"""Results of executions as resources reported them: one per execution, never changed."""

from dataclasses import asdict

from sqlalchemy import bindparam, select

from server.model.approvals import Outcome
from server.storage.prepared import DatabaseRows, insert_if_missing
from server.storage.tables import outcomes

_FIRST = insert_if_missing(outcomes)
_GET = select(outcomes).where(outcomes.c.approval_id == bindparam("approval"))


class Outcomes(DatabaseRows):
    """Execution results in the database."""

    def add_once(self, wanted: Outcome) -> bool:
        """Store a result; False if one was stored before."""
        return bool(_FIRST.run(self._db, asdict(wanted)))

    def get(self, approval_id: str) -> Outcome | None:
        """The result of this approval's execution."""
        row = self._db.execute(_GET, {"approval": approval_id}).mappings().first()
        return None if row is None else Outcome(**row)
