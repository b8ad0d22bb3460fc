"""Rows of signing keys."""

from sqlalchemy import delete, select

from server.model.tokens import SigningKey
from server.storage import codec
from server.storage.prepared import RecordRows, RecordTable
from server.storage.tokens.tables import signing_keys

_ALL = select(signing_keys).order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid)


class Keys(RecordRows[SigningKey, str]):
    """Signing keys in the database. Private keys are encrypted."""

    records = RecordTable(SigningKey, signing_keys, public_jwk=codec.load_map)

    def all(self) -> list[SigningKey]:
        """Return all keys, newest first."""
        return self._list(_ALL)

    def retire(self, kid: str, retires_at: int) -> None:
        """Stop signing with the key; it stays published until `retires_at`."""
        self._set(kid, state="retiring", retires_at=retires_at)

    def revoke(self, kid: str) -> bool:
        """Delete a key immediately; return whether it existed."""
        return self._change(delete(signing_keys).where(signing_keys.c.kid == kid))

    def delete_retired(self, now: int) -> list[str]:
        """Delete retired keys that are no longer published; return their IDs."""
        k = signing_keys.c
        retired = delete(signing_keys).where(k.state == "retiring", k.retires_at <= now)
        return self._column(retired.returning(k.kid))
