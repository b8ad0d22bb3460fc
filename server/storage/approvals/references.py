"""Requests by the beginning of their ID or of their action digest, for people who type it."""

from sqlalchemy import Connection, select

from server.protocol import base64url
from server.storage.approvals.tables import approvals as a

_MOST = 20
"""More than one is an error that lists them."""
_BITS = 6
"""The bits in one character of a digest."""


class ApprovalReferences:
    """Searches all requests, newest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beginning(self, start: str) -> list[str]:
        """The IDs that begin so."""
        statement = select(a.c.id).where(a.c.id.startswith(start, autoescape=True))
        found = self._connection.execute(statement.order_by(a.c.created_at.desc()).limit(_MOST))
        return [row.id for row in found if row.id.startswith(start)]

    def with_digest(self, start: bytes) -> list[str]:
        """The IDs of the requests whose action digest begins with these bytes."""
        whole = base64url.encode(start)[: len(start) * 8 // _BITS]
        digest = a.c.action_digest
        statement = select(a.c.id, digest).where(digest.startswith(whole, autoescape=True))
        found = self._connection.execute(statement.order_by(a.c.created_at.desc()))
        return [row.id for row in found if base64url.decode(row.action_digest).startswith(start)]
