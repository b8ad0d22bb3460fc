"""Rows of the secrets of agents, apps and resources. Each kind has its own table."""

from collections.abc import Iterable
from typing import ClassVar

from sqlalchemy import Connection, Table, bindparam, delete, insert, or_, select, update

from server.model.clients import Secret
from server.storage.named_rows import NamedRows

_USE_INTERVAL_MS = 60_000
_MEMBERS = Secret.__slots__


class SecretTable:
    """The statements for one kind of client; `owner` is the column with the client's ID."""

    def __init__(self, table: Table, owner: str) -> None:
        self._owner = owner
        is_owned = table.c[owner] == bindparam("client")
        self._select = (
            select(*(table.c[name] for name in _MEMBERS))
            .where(is_owned)
            .order_by(table.c.created_at, table.c.id)
        )
        self._add = insert(table)
        self._drop = delete(table).where(is_owned)
        used = table.c.last_used_at
        self._used = (
            update(table)
            .where(
                table.c.id == bindparam("secret"),
                or_(used.is_(None), used < bindparam("before")),
            )
            .values(last_used_at=bindparam("now"))
        )

    def secrets_of(self, db: Connection, client: str) -> tuple[Secret, ...]:
        """Return the secrets of a client, oldest first."""
        return tuple(Secret(*row) for row in db.execute(self._select, {"client": client}))

    def put(self, db: Connection, client: str, secrets: Iterable[Secret]) -> None:
        """Replace the secrets of a client."""
        db.execute(self._drop, {"client": client})
        for secret in secrets:
            row = {name: getattr(secret, name) for name in _MEMBERS}
            db.execute(self._add, {self._owner: client, **row})

    def mark_used(self, db: Connection, secret_id: str, now: int) -> None:
        """Record the use of a secret, at most once a minute."""
        db.execute(self._used, {"secret": secret_id, "now": now, "before": now - _USE_INTERVAL_MS})


class ClientRows(NamedRows):
    """Rows of clients with secrets."""

    secrets: ClassVar[SecretTable]

    def mark_secret_used(self, secret_id: str, now: int) -> None:
        """Record the use of a secret, at most once a minute."""
        self.secrets.mark_used(self._db, secret_id, now)
