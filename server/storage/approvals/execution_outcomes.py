"""Results of executions, as reported by resources. Each execution has one unchangeable result."""

from sqlalchemy import bindparam, select

from server.model.approvals import Outcome
from server.storage.approvals.tables import outcomes
from server.storage.prepared import DatabaseRows, insert_once, record_reader, row_writer

_ADD_ONCE = insert_once(outcomes)
_GET = select(outcomes).where(outcomes.c.approval_id == bindparam("approval"))
_record = record_reader(Outcome, outcomes)
_values = row_writer(outcomes)


class Outcomes(DatabaseRows):
    """Execution results in the database."""

    def add_once(self, outcome: Outcome) -> bool:
        """Store a result; False if one was stored before."""
        return self._any(_ADD_ONCE, **_values(outcome))

    def get(self, approval_id: str) -> Outcome | None:
        """Return the result of this approval's execution."""
        return self._one(_record, _GET, approval=approval_id)
