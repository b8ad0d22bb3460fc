"""Consumed approvals, each with its execution."""

from sqlalchemy import bindparam, select

from server.model.approvals import Consumption
from server.storage.approvals.tables import consumptions
from server.storage.prepared import DatabaseRows, adding_once, reading, writing

_ADD_ONCE = adding_once(consumptions)
_GET = select(consumptions).where(consumptions.c.approval_id == bindparam("approval"))
_record = reading(Consumption, consumptions)
_values = writing(consumptions)


class Consumptions(DatabaseRows):
    """Consumed approvals in the database."""

    def add_once(self, wanted: Consumption) -> bool:
        """Consume an approval; False if it was consumed before."""
        return self._any(_ADD_ONCE, **_values(wanted))

    def get(self, approval_id: str) -> Consumption | None:
        """The execution that consumed this approval."""
        return self._one(_record, _GET, approval=approval_id)
