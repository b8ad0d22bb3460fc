"""Rows of the IDs that can be used once."""

from sqlalchemy import BindParameter, Connection, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from server.storage.prepared import Prepared
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


class Replays:
    """Used ids of assertions and proofs, until they expire."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def first_use(self, kind: str, key: bytes, expires_at: int) -> bool:
        """Report whether this is the first use."""
        statement = _FIRST[self._connection.dialect.name]
        values = {"kind": kind, "key": key, "expires_at": expires_at}
        return bool(statement.run(self._connection, values))

    def prune(self, now: int) -> int:
        """Delete IDs that have expired, because an expired proof is refused anyway."""
        return len(self._connection.execute(_PRUNE, {"now": now}).all())
