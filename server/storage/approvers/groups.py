"""Groups of approvers, in the database. There are few, so all are read at once."""

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.model.approvers import Group
from server.model.store import Taken
from server.storage import codec
from server.storage.clients.names import Names, kept_key
from server.storage.prepared import DatabaseRows
from server.storage.tables import group_members as m
from server.storage.tables import groups as g

_ADD = insert(g)
_RENAME = (
    update(g)
    .where(g.c.id == bindparam("group"))
    .values(name=bindparam("name"), name_key=bindparam("key"))
)
_DELETE = delete(g).where(g.c.id == bindparam("group"))
_ALL = select(g).order_by(g.c.name_key)
_ADD_MEMBER = insert(m)
_DROP_MEMBERS = delete(m).where(m.c.group_id == bindparam("group"))
_MEMBERS = select(m).order_by(m.c.group_id, m.c.user_id)


class Groups(DatabaseRows):
    """Groups in the database."""

    def add(self, group: Group) -> None:
        """Store a group. Raises `Taken` if the name is in use."""
        row = {"id": group.id, "name": group.name, "created_at": group.created_at}
        try:
            self._db.execute(_ADD, row | {"name_key": codec.key(group.name)})
        except IntegrityError as error:
            raise Taken(group.name) from error
        Names(self._db).give("group", group.id, group.name)
        self._attach(group)

    def replace(self, group: Group) -> None:
        """Store name and members. Raises `Taken` if the name is in use."""
        key = kept_key(self._db, g, group.id, group.name)
        values = {"group": group.id, "name": group.name, "key": key or codec.key(group.name)}
        try:
            self._db.execute(_RENAME, values)
        except IntegrityError as error:
            raise Taken(group.name) from error
        names = Names(self._db)
        (names.keep if key else names.give)("group", group.id, group.name)
        self._db.execute(_DROP_MEMBERS, {"group": group.id})
        self._attach(group)

    def delete(self, group_id: str) -> None:
        """Delete the group with its name and members."""
        Names(self._db).drop(group_id)
        for statement in (_DROP_MEMBERS, _DELETE):
            self._db.execute(statement, {"group": group_id})

    def all(self) -> list[Group]:
        """All groups, by name; members by id."""
        members: dict[str, list[str]] = {}
        for row in self._db.execute(_MEMBERS).all():
            members.setdefault(row[0], []).append(row[1])
        rows = self._db.execute(_ALL).mappings().all()
        return [
            Group(row["id"], row["name"], tuple(members.get(row["id"], ())), row["created_at"])
            for row in rows
        ]

    def _attach(self, group: Group) -> None:
        for user_id in group.members:
            self._db.execute(_ADD_MEMBER, {"group_id": group.id, "user_id": user_id})
