"""Rows of icons, by the hash of their bytes."""

from sqlalchemy import bindparam, delete, exists, insert, select

from server.protocol.clients.icons import Icon
from server.storage.account_tables import agents, icons
from server.storage.prepared import DatabaseRows

_GET = select(icons).where(icons.c.digest == bindparam("digest"))
_ADD = insert(icons)
_PRUNE = delete(icons).where(~exists().where(agents.c.icon == icons.c.digest))


class Icons(DatabaseRows):
    """Icons in the database."""

    def get(self, digest: str) -> Icon | None:
        """By the hash of its bytes."""
        row = self._db.execute(_GET, {"digest": digest}).mappings().first()
        return None if row is None else Icon(row["digest"], row["media_type"], bytes(row["body"]))

    def keep(self, icon: Icon) -> None:
        """Store it once, however many agents have it."""
        if self.get(icon.digest) is None:
            values = {"digest": icon.digest, "media_type": icon.media_type, "body": icon.body}
            self._db.execute(_ADD, values)

    def prune(self) -> None:
        """Delete the icons that no agent has."""
        self._db.execute(_PRUNE)
