"""Rows of IDs that can be used only once."""

from sqlalchemy import bindparam, delete

from server.storage.prepared import DatabaseRows, insert_once
from server.storage.tokens.tables import replays

_ADD_ONCE = insert_once(replays)
_PRUNE = delete(replays).where(replays.c.expires_at <= bindparam("now")).returning(replays.c.kind)


class Replays(DatabaseRows):
    """Used IDs of assertions and proofs, until they expire."""

    def first_use(self, kind: str, key: bytes, expires_at: int) -> bool:
        """Record a use; returns whether it is the first one."""
        return self._any(_ADD_ONCE, kind=kind, key=key, expires_at=expires_at)

    def prune(self, now: int) -> int:
        """Delete IDs that have expired, because an expired proof is refused anyway."""
        return len(self._db.execute(_PRUNE, {"now": now}).all())
