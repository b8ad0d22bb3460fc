"""Rows of the IDs that can be used once."""

from sqlalchemy import BindParameter, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from server.storage.prepared import DatabaseRows, Prepared
from server.storage.tables import replays

_VALUES: dict[str, BindParameter[object]] = {
    name: bindparam(name) for name in ("kind", "key", "expires_at")
}
_FIRST = {
    name: Prepared(
        dialect.insert(replays).values(_VALUES).on_conflict_do_nothing().returning(replays.c.kind)
    )
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_PRUNE = delete(replays).where(replays.c.expires_at <= bindparam("now")).returning(replays.c.kind)


class Replays(DatabaseRows):
    """Used ids of assertions and proofs, until they expire."""

    def first_use(self, kind: str, key: bytes, expires_at: int) -> bool:
        """Return whether this is the first use."""
        statement = _FIRST[self._db.dialect.name]
        values = {"kind": kind, "key": key, "expires_at": expires_at}
        return bool(statement.run(self._db, values))

    def prune(self, now: int) -> int:
        """Delete IDs that have expired, because an expired proof is refused anyway."""
        return len(self._db.execute(_PRUNE, {"now": now}).all())
