"""Consumed approvals, and the executions that consumed them."""

from sqlalchemy import bindparam, select

from server.model.approvals import Consumption
from server.storage.approvals.tables import consumptions
from server.storage.prepared import DatabaseRows, insert_once, record_reader, row_writer

_ADD_ONCE = insert_once(consumptions)
_GET = select(consumptions).where(consumptions.c.approval_id == bindparam("approval"))
_record = record_reader(Consumption, consumptions)
_values = row_writer(consumptions)


class Consumptions(DatabaseRows):
    """Consumed approvals in the database."""

    def add_once(self, consumption: Consumption) -> bool:
        """Consume an approval; False if it was consumed before."""
        return self._any(_ADD_ONCE, **_values(consumption))

    def get(self, approval_id: str) -> Consumption | None:
        """Return the execution that consumed this approval."""
        return self._one(_record, _GET, approval=approval_id)
