"""Rows of icons, by the hash of their bytes."""

from sqlalchemy import bindparam, delete, exists, insert, select

from server.protocol.clients.icons import Icon
from server.storage.clients.tables import agents, icons
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_record, _values = record_reader(Icon, icons), row_writer(icons)
_GET = select(icons).where(icons.c.digest == bindparam("digest"))
_ADD = insert(icons)
_PRUNE = delete(icons).where(~exists().where(agents.c.icon == icons.c.digest))


class Icons(DatabaseRows):
    """Icons in the database."""

    def get(self, digest: str) -> Icon | None:
        """Return the icon with this hash."""
        return self._one(_record, _GET, digest=digest)

    def keep(self, icon: Icon) -> None:
        """Store an icon once, even if several agents use it."""
        if self.get(icon.digest) is None:
            self._db.execute(_ADD, _values(icon))

    def prune(self) -> None:
        """Delete the icons that no agent uses."""
        self._db.execute(_PRUNE)
