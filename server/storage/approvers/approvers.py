"""Additional approvers of requests, in the database."""

from sqlalchemy import bindparam, select, update

from server.model.approvals import Approval, Approver, own_approver
from server.protocol.policy.risks import Risk
from server.storage.prepared import DatabaseRows, Prepared, adding, reading, writing
from server.storage.tables import approvals as a
from server.storage.tables import approvers as p

_ADD = Prepared(adding(p))
_OF = Prepared(
    select(p).where(p.c.approval_id == bindparam("approval")).order_by(p.c.added_at, p.c.user_id)
)
_FIND = Prepared(
    select(p).where(p.c.approval_id == bindparam("approval"), p.c.user_id == bindparam("user"))
)
_MARK_MULTI_APPROVER = Prepared(
    update(a)
    .where(a.c.id == bindparam("approval"), a.c.state == "pending")
    .values(multi_approver=True)
    .returning(a.c.id)
)
_HOLD_BACK = Prepared(
    update(p)
    .where(p.c.approval_id == bindparam("approval"), p.c.user_id == bindparam("user"))
    .values(held_back=True)
)
_record = reading(Approver, p, risk=Risk)
_values = writing(p)


class Approvers(DatabaseRows):
    """Additional approvers in the database."""

    def add(self, approver: Approver) -> bool:
        """Add an approver; False if the approval is not pending or already asks them."""
        waits = _MARK_MULTI_APPROVER.run(self._db, {"approval": approver.approval_id})
        if not waits or self.find(approver.approval_id, approver.user_id) is not None:
            return False
        _ADD.run(self._db, _values(approver))
        return True

    def find(self, approval_id: str, user_id: str) -> Approver | None:
        """The row of one user."""
        values = {"approval": approval_id, "user": user_id}
        rows = _FIND.run(self._db, values)
        return _record(rows[0]) if rows else None

    def hold_back(self, approval_id: str, user_id: str) -> None:
        """Record that this user was not notified of it."""
        _HOLD_BACK.run(self._db, {"approval": approval_id, "user": user_id})

    def asked(self, approval: Approval) -> tuple[Approver, ...]:
        """All approvers, the user the request is for first; none for a phantom request."""
        if approval.user_id is None:
            return ()
        own = own_approver(approval, approval.user_id)
        if not approval.multi_approver:
            return (own,)
        rows = {row.user_id: row for row in self.of_approval(approval.id)}
        return (rows.pop(own.user_id, own), *rows.values())

    def of_approval(self, approval_id: str) -> list[Approver]:
        """All approver rows, in the order in which they were added."""
        return [_record(row) for row in _OF.run(self._db, {"approval": approval_id})]
