"""Rows of names: the lookalike keys of each name, and agents' former names."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, exists, insert, literal, select, union_all
from sqlalchemy.exc import IntegrityError

from server.model.clients import FormerName, NameKind, UnprotectedName
from server.model.store import Taken
from server.protocol.confusables import name_keys
from server.storage.approvers.tables import groups
from server.storage.clients.tables import agents, apps
from server.storage.clients.tables import former_names as f
from server.storage.clients.tables import name_looks as n
from server.storage.prepared import DatabaseRows
from server.storage.resources.tables import resources
from server.storage.users.tables import users

_ADD = insert(n)
_DROP = delete(n).where(n.c.bearer == bindparam("bearer"))
_BEARERS = select(n.c.bearer).where(
    n.c.kind == bindparam("kind"), n.c.look.in_(bindparam("looks", expanding=True))
)
_UNPROTECTED = union_all(
    *(
        select(literal(kind).label("kind"), bearer.label("bearer"), name.label("name")).where(
            ~exists().where(n.c.kind == kind, n.c.bearer == bearer)
        )
        for kind, bearer, name in (
            ("client", agents.c.id, agents.c.name),
            ("client", apps.c.id, apps.c.name),
            ("user", users.c.id, users.c.name),
            ("group", groups.c.id, groups.c.name),
            ("resource", resources.c.uri, resources.c.uri),
        )
    )
)
_ADD_FORMER = insert(f)
_DROP_FORMER = delete(f).where(
    f.c.agent_id == bindparam("agent_id"),
    f.c.name == bindparam("name"),
    f.c.until == bindparam("until"),
)
_FORMER = (
    select(f.c.name, f.c.until).where(f.c.agent_id == bindparam("agent")).order_by(f.c.until.desc())
)


class Names(DatabaseRows):
    """Names in the database."""

    def give(self, kind: NameKind, bearer: str, name: str) -> None:
        """Store a name's lookalike keys; raises `Taken` if a name of the same kind has one."""
        self.drop(bearer)
        try:
            for look in sorted(name_keys(name)):
                row = {"kind": kind, "look": look, "bearer": bearer}
                self._db.execute(_ADD, row)
        except IntegrityError as error:
            raise Taken(name) from error

    def keep(self, kind: NameKind, bearer: str, name: str) -> None:
        """Store the lookalike keys of an unchanged name, unless a different name has the same keys.

        Earlier versions did not compare lookalikes. Their names are kept until they are changed.
        """
        if set(self.ids_with_name_like(kind, name_keys(name))) <= {bearer}:
            self.give(kind, bearer, name)

    def drop(self, bearer: str) -> None:
        """Release the name, so that others can use it."""
        self._db.execute(_DROP, {"bearer": bearer})

    def ids_with_name_like(self, kind: NameKind, looks: Collection[str]) -> list[str]:
        """Return the IDs of names with one of these lookalike keys."""
        bearers = self._column(_BEARERS, kind=kind, looks=sorted(looks))
        return list(dict.fromkeys(bearers))

    def unprotected(self) -> list[UnprotectedName]:
        """Return the names from earlier versions that look like a different name."""
        rows = self._db.execute(_UNPROTECTED).all()
        return [UnprotectedName(row.kind, row.bearer, row.name) for row in rows]

    def add_former(self, agent_id: str, former: FormerName) -> None:
        """Store the former name of an agent."""
        row = {"agent_id": agent_id, "name": former.name, "until": former.until}
        for statement in (_DROP_FORMER, _ADD_FORMER):
            self._db.execute(statement, row)

    def former(self, agent_id: str) -> list[FormerName]:
        """Return the former names of an agent, newest first."""
        rows = self._db.execute(_FORMER, {"agent": agent_id}).all()
        return [FormerName(row[0], row[1]) for row in rows]
