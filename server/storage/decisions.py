"""Rows of signed answers."""

from sqlalchemy import Connection, bindparam, select

from server.services.records import Decision
from server.storage.prepared import Prepared, adding, reading
from server.storage.tables import decisions

_ADD = Prepared(adding(decisions))
_OF = Prepared(
    select(decisions)
    .where(decisions.c.approval_id == bindparam("of"))
    .order_by(decisions.c.at, decisions.c.user_id)
)
_record = reading(Decision, decisions)


class Decisions:
    """Signed answers in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, decision: Decision) -> None:
        """Store an answer; the table allows one per approval and human."""
        row = {name: getattr(decision, name) for name in decisions.c.keys()}  # noqa: SIM118
        _ADD.run(self._connection, row)

    def of_approval(self, approval_id: str) -> list[Decision]:
        """The answers to one approval, oldest first."""
        return [_record(row) for row in _OF.run(self._connection, {"of": approval_id})]
