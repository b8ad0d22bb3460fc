"""Rows of IDs that can be used only once."""

from server.storage.prepared import ExpiringRows, insert_once
from server.storage.tokens.tables import replays

_ADD_ONCE = insert_once(replays)


class Replays(ExpiringRows):
    """Used IDs of assertions and proofs, until they expire; expired proofs are refused anyway."""

    expires_at = replays.c.expires_at

    def first_use(self, kind: str, key: bytes, expires_at: int) -> bool:
        """Record a use; return whether it is the first one."""
        return self._any(_ADD_ONCE, kind=kind, key=key, expires_at=expires_at)
