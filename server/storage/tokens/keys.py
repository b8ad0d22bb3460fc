"""Rows of signing keys."""

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import RowMapping

from server.model.tokens import SigningKey
from server.storage import codec
from server.storage.account_tables import signing_keys
from server.storage.prepared import DatabaseRows

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
    """Signing keys in the database; their private halves are encrypted."""

    def add(self, key: SigningKey) -> None:
        """Store a new key."""
        row = {
            "kid": key.kid,
            "alg": key.alg,
            "public_jwk": codec.dump(dict(key.public_jwk)),
            "sealed": key.sealed,
            "state": key.state,
            "created_at": key.created_at,
            "retires_at": key.retires_at,
        }
        self._db.execute(_ADD, row)

    def all(self) -> list[SigningKey]:
        """Every key, newest first."""
        return [_record(row) for row in self._db.execute(_ALL).mappings().all()]

    def retire(self, kid: str, retires_at: int) -> None:
        """Stop signing with the key; it stays published until `retires_at`."""
        self._db.execute(_RETIRE, {"key": kid, "retires_at": retires_at})

    def revoke(self, kid: str) -> bool:
        """Delete a key now; returns whether it existed."""
        return bool(self._db.execute(_REVOKE, {"key": kid}).all())

    def drop_retired(self, now: int) -> list[str]:
        """Delete the keys whose time has come; returns their IDs."""
        return list(self._db.execute(_DROP, {"now": now}).scalars().all())


def _record(m: RowMapping) -> SigningKey:
    return SigningKey(
        kid=m["kid"],
        alg=m["alg"],
        public_jwk=codec.string_map(m["public_jwk"]),
        sealed=bytes(m["sealed"]),
        state=m["state"],
        created_at=m["created_at"],
        retires_at=m["retires_at"],
    )
