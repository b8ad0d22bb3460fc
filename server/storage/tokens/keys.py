"""Rows of signing keys."""

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.tokens import SigningKey
from server.storage import codec
from server.storage.prepared import DatabaseRows, record_reader, row_writer
from server.storage.tokens.tables import signing_keys

_record = record_reader(SigningKey, signing_keys, public_jwk=codec.string_map)
_values = row_writer(signing_keys, public_jwk=codec.dump)
_ADD = insert(signing_keys)
_ALL = select(signing_keys).order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid)
_RETIRE = (
    update(signing_keys)
    .where(signing_keys.c.kid == bindparam("key"))
    .values(state="retiring", retires_at=bindparam("retires_at"))
)
_DROP = (
    delete(signing_keys)
    .where(signing_keys.c.state == "retiring", signing_keys.c.retires_at <= bindparam("now"))
    .returning(signing_keys.c.kid)
)
_REVOKE = (
    delete(signing_keys).where(signing_keys.c.kid == bindparam("key")).returning(signing_keys.c.kid)
)


class Keys(DatabaseRows):
    """Signing keys in the database. Private keys are encrypted."""

    def add(self, key: SigningKey) -> None:
        """Store a new key."""
        self._db.execute(_ADD, _values(key))

    def all(self) -> list[SigningKey]:
        """Return all keys, newest first."""
        return self._many(_record, _ALL)

    def retire(self, kid: str, retires_at: int) -> None:
        """Stop signing with the key; it stays published until `retires_at`."""
        self._db.execute(_RETIRE, {"key": kid, "retires_at": retires_at})

    def revoke(self, kid: str) -> bool:
        """Delete a key immediately; returns whether it existed."""
        return self._any(_REVOKE, key=kid)

    def drop_retired(self, now: int) -> list[str]:
        """Delete retired keys that are no longer published; returns their IDs."""
        return list(self._db.execute(_DROP, {"now": now}).scalars().all())
