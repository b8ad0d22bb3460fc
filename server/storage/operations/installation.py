"""Rows of the installation: its epoch, its key IDs and the holds that a restore created."""

from sqlalchemy import bindparam, delete, select

from server.model.operations import InstallationRow
from server.storage.operations.tables import installation_keys as k
from server.storage.operations.tables import restore_holds as h
from server.storage.prepared import DatabaseRows, insert_once
from server.storage.tables import installation as i

_ROW = select(i.c.admin_version, i.c.created_at, i.c.epoch, i.c.restored_at)
_IDS = select(k.c.name, k.c.key_id)
_SEALED = select(k.c.sealed).where(k.c.name == bindparam("name"))
_ADD_KEY = insert_once(k)
_HOLDS = select(h.c.kind, h.c.id).order_by(h.c.kind, h.c.id)
_RELEASE = delete(h).where(h.c.kind == bindparam("kind"), h.c.id == bindparam("id"))


class InstallationRecords(DatabaseRows):
    """The installation's rows in the database."""

    def row(self) -> InstallationRow:
        """Return the installation's only row."""
        return InstallationRow(*self._db.execute(_ROW).one())

    def key_ids(self) -> dict[str, str]:
        """Return the ID of each of this database's keys, by name."""
        return {row.name: row.key_id for row in self._db.execute(_IDS).all()}

    def sealed_key(self, name: str) -> bytes | None:
        """Return a key that is stored in the database, sealed with the master key."""
        sealed = self._db.execute(_SEALED, {"name": name}).scalar()
        return None if sealed is None else bytes(sealed)

    def add_key(self, name: str, key_id: str, sealed: bytes | None = None) -> bool:
        """Record a key. Returns False, without a change, if a key with this name exists."""
        row = {"name": name, "key_id": key_id, "sealed": sealed}
        return self._any(_ADD_KEY, **row)

    def replace_key(self, name: str, key_id: str) -> None:
        """Record a new key under this name."""
        self._db.execute(delete(k).where(k.c.name == name))
        self.add_key(name, key_id)

    def list_held(self) -> list[tuple[str, str]]:
        """Return the kind and ID of each item that a restore disabled and nobody re-enabled."""
        return [(kind, held_id) for kind, held_id in self._db.execute(_HOLDS).all()]

    def release(self, kind: str, held_id: str) -> bool:
        """Delete a hold; return whether there was one."""
        return self._change(_RELEASE, kind=kind, id=held_id)
