"""Rows of terminal sessions."""

from sqlalchemy import bindparam, or_, select

from server.model.devices import Session
from server.storage import codec
from server.storage.devices.tables import sessions
from server.storage.prepared import RecordRows, RecordTable

_BY_REFRESH = (
    select(sessions)
    .where(
        or_(
            sessions.c.refresh_hash == bindparam("hash"),
            sessions.c.previous_hash == bindparam("hash"),
        )
    )
    .with_for_update()
)
_ANY_RESUMES = select(sessions.c.id).where(sessions.c.resumes).limit(1)
_RESUMABLE = select(sessions).where(
    sessions.c.resumes, sessions.c.jkt == bindparam("key"), sessions.c.revoked_at.is_(None)
)


class Sessions(RecordRows[Session, str]):
    """Terminal sessions in the database."""

    records = RecordTable(Session, sessions, public_jwk=codec.load_map)

    def by_refresh(self, refresh_hash: bytes) -> Session | None:
        """Return the session with this current or previous refresh token.

        PostgreSQL locks its row, so a repeated refresh waits; its token is then the previous one.
        """
        return self._find(_BY_REFRESH, hash=refresh_hash)

    def any_resumable(self) -> bool:
        """Return whether terminals may resume sessions after a restore."""
        return self._any(_ANY_RESUMES)

    def resumable(self, jkt: str) -> Session | None:
        """Return the session that this key may resume after a restore."""
        return self._find(_RESUMABLE, key=jkt)

    def rotate(self, session_id: str, old: bytes, new: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if it is still `old`."""
        return self._set(
            session_id,
            sessions.c.refresh_hash == old,
            sessions.c.revoked_at.is_(None),
            refresh_hash=new,
            previous_hash=old,
            rotated_at=now,
            expires_at=expires_at,
            resumes=False,
        )

    def bind(self, session_id: str, device_id: str, expires_at: int) -> None:
        """Assign the session to a device, with a new expiry."""
        self._set(session_id, device_id=device_id, expires_at=expires_at)

    def revoke(self, session_id: str, now: int) -> None:
        """Revoke the session."""
        self._set(session_id, sessions.c.revoked_at.is_(None), revoked_at=now)
