"""Rows of user codes."""

from sqlalchemy import bindparam, delete, insert, select

from server.storage.prepared import DatabaseRows
from server.storage.users.tables import user_codes

_GET = select(user_codes.c.hash).where(user_codes.c.user_id == bindparam("user"))
_DROP = (
    delete(user_codes)
    .where(user_codes.c.user_id == bindparam("user"))
    .returning(user_codes.c.user_id)
)
_ADD = insert(user_codes)


class UserCodes(DatabaseRows):
    """User codes in the database, as keyed hashes."""

    def get(self, user_id: str) -> bytes | None:
        """Return the hash of this user's code."""
        row = self._db.execute(_GET, {"user": user_id}).first()
        return None if row is None else bytes(row[0])

    def put(self, user_id: str, code_hash: bytes, now: int) -> None:
        """Set or replace this user's code."""
        self.drop(user_id)
        self._db.execute(_ADD, {"user_id": user_id, "hash": code_hash, "set_at": now})

    def drop(self, user_id: str) -> bool:
        """Delete this user's code; returns whether there was one."""
        return self._any(_DROP, user=user_id)
