"""Rows of people asked beside the one a request is for."""

from sqlalchemy import Connection, bindparam, select, update

from server.model.approvals import Approval, Approver, own_approver
from server.protocol.policy.risks import Risk
from server.storage.approvers.approver_tables import approvers as p
from server.storage.prepared import Prepared, adding, reading, writing
from server.storage.tables import approvals as a

_ADD = Prepared(adding(p))
_OF = Prepared(
    select(p).where(p.c.approval_id == bindparam("of")).order_by(p.c.added_at, p.c.user_id)
)
_FIND = Prepared(
    select(p).where(p.c.approval_id == bindparam("of"), p.c.user_id == bindparam("user"))
)
_ARE_SEVERAL = Prepared(
    update(a)
    .where(a.c.id == bindparam("of"), a.c.state == "pending")
    .values(multi_approver=True)
    .returning(a.c.id)
)
_HOLD_BACK = Prepared(
    update(p)
    .where(p.c.approval_id == bindparam("of"), p.c.user_id == bindparam("user"))
    .values(held_back=True)
)
_record = reading(Approver, p, risk=Risk)
_values = writing(p)


class Approvers:
    """Who is asked, in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, approver: Approver) -> bool:
        """Ask one more, if the approval still waits and does not ask them yet."""
        waits = _ARE_SEVERAL.run(self._connection, {"of": approver.approval_id})
        if not waits or self.find(approver.approval_id, approver.user_id) is not None:
            return False
        _ADD.run(self._connection, _values(approver))
        return True

    def find(self, approval_id: str, user_id: str) -> Approver | None:
        """The row of one person."""
        values = {"of": approval_id, "user": user_id}
        rows = _FIND.run(self._connection, values)
        return _record(rows[0]) if rows else None

    def hold_back(self, approval_id: str, user_id: str) -> None:
        """Remember that this person was not called for it."""
        _HOLD_BACK.run(self._connection, {"of": approval_id, "user": user_id})

    def asked(self, approval: Approval) -> tuple[Approver, ...]:
        """Everybody whom it asks, the person it is for first; nobody for a phantom."""
        if approval.user_id is None:
            return ()
        own = own_approver(approval, approval.user_id)
        if not approval.multi_approver:
            return (own,)
        rows = {row.user_id: row for row in self.of_approval(approval.id)}
        return (rows.pop(own.user_id, own), *rows.values())

    def of_approval(self, approval_id: str) -> list[Approver]:
        """Everybody who has a row, in the order in which they were asked."""
        return [_record(row) for row in _OF.run(self._connection, {"of": approval_id})]
