"""Rows of the installation: its epoch, its key ids and the holds of a restore."""

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from server.model.operations import InstallationRow
from server.storage.tables import installation as i
from server.storage.tables import installation_keys as k
from server.storage.tables import restore_holds as h

_ROW = select(i.c.admin_version, i.c.created_at, i.c.epoch, i.c.restored_at)
_IDS = select(k.c.name, k.c.key_id)
_SEALED = select(k.c.sealed).where(k.c.name == bindparam("called"))
_HELD = select(h.c.kind, h.c.id).order_by(h.c.kind, h.c.id)
_RELEASE = (
    delete(h).where(h.c.kind == bindparam("of_kind"), h.c.id == bindparam("of")).returning(h.c.id)
)


class InstallationRecords:
    """The installation's rows in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def row(self) -> InstallationRow:
        """The installation's only row."""
        return InstallationRow(*self._connection.execute(_ROW).one())

    def key_ids(self) -> dict[str, str]:
        """Name → id of each key of this database."""
        return {row.name: row.key_id for row in self._connection.execute(_IDS).all()}

    def sealed_key(self, name: str) -> bytes | None:
        """A key that is stored in the database, sealed with the master key."""
        sealed = self._connection.execute(_SEALED, {"called": name}).scalar()
        return None if sealed is None else bytes(sealed)

    def add_key(self, name: str, key_id: str, sealed: bytes | None = None) -> bool:
        """Record a key. Reports False, and changes nothing, if the name has one already."""
        row = {"name": name, "key_id": key_id, "sealed": sealed}
        on_postgresql = self._connection.dialect.name == "postgresql"
        insert = postgresql.insert(k) if on_postgresql else sqlite.insert(k)
        added = insert.on_conflict_do_nothing().returning(k.c.name)
        return bool(self._connection.execute(added, row).all())

    def replace_key(self, name: str, key_id: str) -> None:
        """Record another key under this name."""
        self._connection.execute(delete(k).where(k.c.name == name))
        self.add_key(name, key_id)

    def held(self) -> list[tuple[str, str]]:
        """The kind and id of everything that a restore turned off and nobody has enabled yet."""
        return [(kind, held_id) for kind, held_id in self._connection.execute(_HELD).all()]

    def release(self, kind: str, held_id: str) -> bool:
        """Delete a hold; reports whether there was one."""
        return bool(self._connection.execute(_RELEASE, {"of_kind": kind, "of": held_id}).all())
