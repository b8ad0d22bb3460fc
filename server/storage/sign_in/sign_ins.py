"""Browsers' sign-ins to apps, in the database."""

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.sign_in import SignIn
from server.storage.prepared import DatabaseRows, record_reader, row_writer
from server.storage.sign_in.tables import sign_ins as s

_record, _values = record_reader(SignIn, s), row_writer(s)
_ADD = insert(s)
_GET = select(s).where(s.c.id == bindparam("sign_in"))
_BY_TOKEN = select(s).where(s.c.token_hash == bindparam("token_hash"))
_RENEW = (
    update(s)
    .where(s.c.id == bindparam("sign_in"), s.c.ended_at.is_(None))
    .values(
        token_hash=bindparam("hash"), auth_time=bindparam("at"), expires_at=bindparam("expires_at")
    )
    .values(acr=bindparam("acr"))
)
_END = update(s).where(s.c.ended_at.is_(None)).values(ended_at=bindparam("now")).returning(s.c.id)
_END_ONE = _END.where(s.c.id == bindparam("sign_in"))
_BY_USER = select(s.c.id).where(s.c.user_id == bindparam("user"), s.c.ended_at.is_(None))
_PRUNE = delete(s).where(s.c.expires_at < bindparam("now"))


class SignIns(DatabaseRows):
    """Browsers' sign-ins in the database."""

    def add(self, sign_in: SignIn) -> None:
        """Store a new sign-in."""
        self._db.execute(_ADD, _values(sign_in))

    def get(self, sign_in_id: str) -> SignIn | None:
        """Return the sign-in with this id."""
        return self._one(_record, _GET, sign_in=sign_in_id)

    def by_token(self, token_hash: bytes) -> SignIn | None:
        """Return the sign-in whose cookie has this hash."""
        return self._one(_record, _BY_TOKEN, token_hash=token_hash)

    def renew(self, sign_in: SignIn) -> None:
        """Store a new cookie, time and expiry, when the user signs in again in the same browser."""
        values = {
            "sign_in": sign_in.id,
            "hash": sign_in.token_hash,
            "at": sign_in.auth_time,
            "expires_at": sign_in.expires_at,
            "acr": sign_in.acr,
        }
        self._db.execute(_RENEW, values)

    def end(self, sign_in_id: str, now: int) -> bool:
        """End a sign-in; returns False if it had already ended."""
        return self._any(_END_ONE, sign_in=sign_in_id, now=now)

    def of_user(self, user_id: str) -> list[str]:
        """Return the IDs of the user's sign-ins that have not ended."""
        return list(self._db.execute(_BY_USER, {"user": user_id}).scalars().all())

    def prune(self, now: int) -> None:
        """Delete expired sign-ins."""
        self._db.execute(_PRUNE, {"now": now})
