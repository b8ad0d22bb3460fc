"""Rows of icons, by the hash of their bytes."""

from sqlalchemy import Connection, bindparam, delete, exists, insert, select

from server.protocol.clients.icons import Icon
from server.storage.account_tables import agents, icons

_GET = select(icons).where(icons.c.digest == bindparam("of"))
_ADD = insert(icons)
_PRUNE = delete(icons).where(~exists().where(agents.c.icon == icons.c.digest))


class Icons:
    """Icons in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, digest: str) -> Icon | None:
        """By the hash of its bytes."""
        row = self._connection.execute(_GET, {"of": digest}).mappings().first()
        return None if row is None else Icon(row["digest"], row["media_type"], bytes(row["body"]))

    def keep(self, icon: Icon) -> None:
        """Store it once, however many agents have it."""
        if self.get(icon.digest) is None:
            values = {"digest": icon.digest, "media_type": icon.media_type, "body": icon.body}
            self._connection.execute(_ADD, values)

    def prune(self) -> None:
        """Delete the icons that no agent has."""
        self._connection.execute(_PRUNE)
