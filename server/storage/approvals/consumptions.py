"""Consumed approvals, each with its execution."""

from dataclasses import asdict

from sqlalchemy import bindparam, select

from server.model.approvals import Consumption
from server.storage.prepared import DatabaseRows, insert_if_missing
from server.storage.tables import consumptions

_FIRST = insert_if_missing(consumptions)
_GET = select(consumptions).where(consumptions.c.approval_id == bindparam("approval"))


class Consumptions(DatabaseRows):
    """Consumed approvals in the database."""

    def add_once(self, wanted: Consumption) -> bool:
        """Consume an approval; False if it was consumed before."""
        return bool(_FIRST.run(self._db, asdict(wanted)))

    def get(self, approval_id: str) -> Consumption | None:
        """The execution that consumed this approval."""
        row = self._db.execute(_GET, {"approval": approval_id}).mappings().first()
        return None if row is None else Consumption(**row)
