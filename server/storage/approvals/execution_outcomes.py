"""Results of executions as resources reported them: one per execution, never changed."""

from sqlalchemy import bindparam, select

from server.model.approvals import Outcome
from server.storage.approvals.tables import outcomes
from server.storage.prepared import DatabaseRows, adding_once, reading, writing

_ADD_ONCE = adding_once(outcomes)
_GET = select(outcomes).where(outcomes.c.approval_id == bindparam("approval"))
_record = reading(Outcome, outcomes)
_values = writing(outcomes)


class Outcomes(DatabaseRows):
    """Execution results in the database."""

    def add_once(self, wanted: Outcome) -> bool:
        """Store a result; False if one was stored before."""
        return self._any(_ADD_ONCE, **_values(wanted))

    def get(self, approval_id: str) -> Outcome | None:
        """The result of this approval's execution."""
        return self._one(_record, _GET, approval=approval_id)
