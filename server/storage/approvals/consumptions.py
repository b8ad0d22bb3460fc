"""Consumed approvals, each with its execution."""

from dataclasses import asdict

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from server.model.approvals import Consumption
from server.storage.prepared import DatabaseRows
from server.storage.tables import consumptions

_VALUES: dict[str, BindParameter[object]] = {
    name: bindparam(name) for name in ("approval_id", "execution_id", "token_id", "resource", "at")
}
_FIRST = {
    "sqlite": sqlite.insert(consumptions)
    .values(_VALUES)
    .on_conflict_do_nothing()
    .returning(consumptions.c.approval_id),
    "postgresql": postgresql.insert(consumptions)
    .values(_VALUES)
    .on_conflict_do_nothing()
    .returning(consumptions.c.approval_id),
}
_GET = select(consumptions).where(consumptions.c.approval_id == bindparam("approval"))


class Consumptions(DatabaseRows):
    """Consumed approvals in the database."""

    def add_once(self, wanted: Consumption) -> bool:
        """Consume an approval; False if it was consumed before."""
        statement = _FIRST[self._db.dialect.name]
        return bool(self._db.execute(statement, asdict(wanted)).all())

    def get(self, approval_id: str) -> Consumption | None:
        """The execution that consumed this approval."""
        row = self._db.execute(_GET, {"approval": approval_id}).mappings().first()
        return None if row is None else Consumption(**row)
