"""Browsers' sign-ins to apps, in the database."""

from sqlalchemy import bindparam, select

from server.model.sign_in import SignIn
from server.storage.prepared import ExpiringRows, RecordRows, RecordTable
from server.storage.sign_in.tables import sign_ins as s

_BY_TOKEN = select(s).where(s.c.token_hash == bindparam("token_hash"))
_LOCK = select(s).where(s.c.id == bindparam("sign_in")).with_for_update(read=True)
_BY_USER = select(s.c.id).where(s.c.user_id == bindparam("user"), s.c.ended_at.is_(None))


class SignIns(RecordRows[SignIn, str], ExpiringRows):
    """Browsers' sign-ins in the database."""

    records = RecordTable(SignIn, s)
    expires_at = s.c.expires_at

    def by_token(self, token_hash: bytes) -> SignIn | None:
        """Return the sign-in with this cookie hash."""
        return self._find(_BY_TOKEN, token_hash=token_hash)

    def lock(self, sign_in_id: str) -> SignIn | None:
        """Return the sign-in. On PostgreSQL, a sign-out waits until the unit of work ends."""
        return self._find(_LOCK, sign_in=sign_in_id)

    def renew(self, sign_in: SignIn) -> None:
        """Store a new cookie, time and expiry, when the user signs in again in the same browser."""
        values = {
            name: getattr(sign_in, name) for name in ("token_hash", "auth_time", "acr", "device_id")
        }
        is_live = s.c.ended_at.is_(None)
        self._set(sign_in.id, is_live, expires_at=sign_in.expires_at, **values)

    def end(self, sign_in_id: str, now: int) -> bool:
        """End a sign-in; return False if it had already ended."""
        return self._set(sign_in_id, s.c.ended_at.is_(None), ended_at=now)

    def of_user(self, user_id: str) -> list[str]:
        """Return the IDs of the user's sign-ins that have not ended."""
        return self._column(_BY_USER, user=user_id)

    def of_device(self, user_id: str, device_id: str) -> list[str]:
        """Return the IDs of the user's sign-ins with this device that have not ended."""
        return self._column(_BY_USER.where(s.c.device_id == device_id), user=user_id)
