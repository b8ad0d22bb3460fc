"""Additional approvers of requests, in the database."""

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.approvals import Approval, Approver
from server.model.approvers import Group
from server.protocol.policy.risks import Risk
from server.storage import codec
from server.storage.approvals.tables import approvals as a
from server.storage.approvers.tables import approvers as p
from server.storage.approvers.tables import group_members as m
from server.storage.approvers.tables import groups as g
from server.storage.clients.names import Names
from server.storage.named_rows import NamedRows
from server.storage.prepared import DatabaseRows, Prepared, RecordTable

_BY_APPROVAL = Prepared(
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
_APPROVERS = RecordTable(Approver, p, risk=Risk)


class Approvers(DatabaseRows):
    """Additional approvers in the database."""

    def add(self, approver: Approver) -> bool:
        """Add an approver; False if the approval is not pending or already has them."""
        pending = _MARK_MULTI_APPROVER.run(self._db, {"approval": approver.approval_id})
        if not pending or self.find(approver.approval_id, approver.user_id) is not None:
            return False
        _APPROVERS.add(self._db, approver)
        return True

    def find(self, approval_id: str, user_id: str) -> Approver | None:
        """Return the row of one user."""
        return self._one(_APPROVERS.read, _FIND, approval=approval_id, user=user_id)

    def find_for(self, approval: Approval, user_id: str) -> Approver | None:
        """Like `find`, but the user that the request is for needs no stored row."""
        row = self.find(approval.id, user_id) if approval.multi_approver else None
        return _own_row(approval, user_id) if row is None and approval.user_id == user_id else row

    def hold_back(self, approval_id: str, user_id: str) -> None:
        """Record that this user was not notified of the request."""
        is_theirs = p.c.approval_id == approval_id, p.c.user_id == user_id
        self._change(update(p).where(*is_theirs).values(held_back=True))

    def list_for(self, approval: Approval) -> tuple[Approver, ...]:
        """Return all approvers, starting with the request's user; none for a phantom request."""
        if approval.user_id is None:
            return ()
        own = _own_row(approval, approval.user_id)
        if not approval.multi_approver:
            return (own,)
        rows = {row.user_id: row for row in self.of_approval(approval.id)}
        return (rows.pop(own.user_id, own), *rows.values())

    def of_approval(self, approval_id: str) -> list[Approver]:
        """Return all approver rows, in the order in which they were added."""
        return self._many(_APPROVERS.read, _BY_APPROVAL, approval=approval_id)


def _own_row(approval: Approval, user_id: str) -> Approver:
    """Return the row of the user that the request is for, which need not be stored."""
    return Approver(
        approval.id, user_id, "asked", approval.created_at, approval.expires_at, approval.risk
    )


_DELETE = delete(g).where(g.c.id == bindparam("group"))
_ALL = select(g).order_by(g.c.name_key)
_ADD_MEMBER = insert(m)
_DROP_MEMBERS = delete(m).where(m.c.group_id == bindparam("group"))
_MEMBERS = select(m).order_by(m.c.group_id, m.c.user_id)


class Groups(NamedRows):
    """Groups in the database."""

    def add(self, group: Group) -> None:
        """Store a group. Raises `Taken` if the name is in use."""
        self._insert(g, "group", _group_values(group))
        self._add_members(group)

    def replace(self, group: Group) -> None:
        """Store the name and members. Raises `Taken` if the name is in use."""
        self._replace(g, "group", _group_values(group))
        self._db.execute(_DROP_MEMBERS, {"group": group.id})
        self._add_members(group)

    def delete(self, group_id: str) -> None:
        """Delete the group with its name; the database deletes its members."""
        Names(self._db).drop(group_id)
        self._db.execute(_DELETE, {"group": group_id})

    def all(self) -> list[Group]:
        """Return all groups, by name; members by ID."""
        members: dict[str, list[str]] = {}
        for row in self._db.execute(_MEMBERS).all():
            members.setdefault(row[0], []).append(row[1])
        return [
            Group(row.id, row.name, tuple(members.get(row.id, ())), row.created_at)
            for row in self._db.execute(_ALL)
        ]

    def _add_members(self, group: Group) -> None:
        for user_id in group.members:
            self._db.execute(_ADD_MEMBER, {"group_id": group.id, "user_id": user_id})


def _group_values(group: Group) -> dict[str, object]:
    row = {"id": group.id, "name": group.name, "created_at": group.created_at}
    return {**row, "name_key": codec.key(group.name)}
