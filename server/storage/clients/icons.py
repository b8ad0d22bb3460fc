"""Rows of icons, by the hash of their bytes."""

from sqlalchemy import delete, exists

from server.protocol.clients.icons import Icon
from server.storage.clients.tables import agents, icons
from server.storage.prepared import RecordRows, RecordTable

_PRUNE = delete(icons).where(~exists().where(agents.c.icon == icons.c.digest))


class Icons(RecordRows[Icon, str]):
    """Icons in the database."""

    records = RecordTable(Icon, icons)

    def keep(self, icon: Icon) -> None:
        """Store an icon once, even if several agents use it."""
        if self.get(icon.digest) is None:
            self.add(icon)

    def prune(self) -> None:
        """Delete the icons that no agent uses."""
        self._db.execute(_PRUNE)
