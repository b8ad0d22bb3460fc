"""Rows of passkeys, and of browsers that are signed in with a passkey."""

from sqlalchemy import bindparam, or_, select

from server.model.devices import Browser, Passkey
from server.storage.devices.tables import browsers as b
from server.storage.devices.tables import devices
from server.storage.devices.tables import passkeys as p
from server.storage.prepared import ExpiringRows, RecordRows, RecordTable

_BY_CREDENTIAL = select(p).where(p.c.credential == bindparam("credential"))
_BY_USER = (
    select(p)
    .join(devices, devices.c.id == p.c.device_id)
    .where(devices.c.user_id == bindparam("user"), devices.c.state == "active")
    .order_by(p.c.device_id)
)


class Passkeys(RecordRows[Passkey, str]):
    """Passkeys in the database."""

    records = RecordTable(Passkey, p)

    def by_credential(self, credential: bytes) -> Passkey | None:
        """Return the passkey with this credential ID, which its authenticator chose."""
        return self._find(_BY_CREDENTIAL, credential=credential)

    def of_user(self, user_id: str) -> list[Passkey]:
        """Return the user's passkeys on active devices."""
        return self._list(_BY_USER, user=user_id)

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Store the counter of an assertion; return whether it is valid."""
        is_next = or_(p.c.signs < signs, p.c.last_signed == signed)
        if signs == 0:
            is_next = or_(p.c.signs == 0, is_next)
        return self._set(device_id, is_next, signs=signs, last_signed=signed)


class Browsers(RecordRows[Browser, bytes], ExpiringRows):
    """Signed-in browsers in the database."""

    records = RecordTable(Browser, b)
    expires_at = b.c.expires_at

    def end(self, token_hash: bytes, now: int) -> bool:
        """Sign a browser out; return False if it was already signed out."""
        return self._set(token_hash, b.c.ended_at.is_(None), ended_at=now)
