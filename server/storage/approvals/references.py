"""Finds requests by the first characters of their ID or action digest, as people type them."""

from sqlalchemy import select

from server.protocol import base64url
from server.storage.approvals.tables import approvals as a
from server.storage.prepared import DatabaseRows

_MAX_MATCHES = 20
"""The maximum number of matches; the caller's error lists them if there are several."""
_BITS = 6
"""The number of bits in one character of a digest."""


class ApprovalReferences(DatabaseRows):
    """Searches all requests, newest first."""

    def with_id_prefix(self, start: str) -> list[str]:
        """Return the IDs that begin with `start`."""
        statement = select(a.c.id).where(a.c.id.startswith(start, autoescape=True))
        rows = self._db.execute(statement.order_by(a.c.created_at.desc()).limit(_MAX_MATCHES))
        return [row.id for row in rows if row.id.startswith(start)]

    def with_digest(self, start: bytes) -> list[str]:
        """Return the IDs of the requests whose action digest begins with these bytes."""
        prefix = base64url.encode(start)[: len(start) * 8 // _BITS]
        digest = a.c.action_digest
        statement = select(a.c.id, digest).where(digest.startswith(prefix, autoescape=True))
        rows = self._db.execute(statement.order_by(a.c.created_at.desc()))
        return [row.id for row in rows if base64url.decode(row.action_digest).startswith(start)]
