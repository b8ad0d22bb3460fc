"""Rows of signed answers."""

from sqlalchemy import Connection, bindparam, insert, select

from server.services.records import Decision
from server.storage.tables import decisions

_ADD = insert(decisions)
_OF = (
    select(decisions)
    .where(decisions.c.approval_id == bindparam("of"))
    .order_by(decisions.c.at, decisions.c.user_id)
)


class Decisions:
    """Signed answers in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, decision: Decision) -> None:
        """Store an answer; the table allows one per approval and human."""
        row = {name: getattr(decision, name) for name in decisions.c.keys()}  # noqa: SIM118
        self._connection.execute(_ADD, row)

    def of_approval(self, approval_id: str) -> list[Decision]:
        """The answers to one approval, oldest first."""
        rows = self._connection.execute(_OF, {"of": approval_id}).mappings().all()
        return [Decision(**row) for row in rows]
