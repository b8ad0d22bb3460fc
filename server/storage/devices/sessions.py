"""Rows of terminal sessions."""

from sqlalchemy import bindparam, insert, or_, select, update

from server.model.devices import Session
from server.storage import codec
from server.storage.devices.tables import sessions
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_ADD = insert(sessions)
_GET = select(sessions).where(sessions.c.id == bindparam("session"))
_BY_REFRESH = select(sessions).where(
    or_(sessions.c.refresh_hash == bindparam("hash"), sessions.c.previous_hash == bindparam("hash"))
)
_ANY_RESUMES = select(sessions.c.id).where(sessions.c.resumes).limit(1)
_RESUMABLE = select(sessions).where(
    sessions.c.resumes, sessions.c.jkt == bindparam("key"), sessions.c.revoked_at.is_(None)
)
_ROTATE = (
    update(sessions)
    .where(
        sessions.c.id == bindparam("session"),
        sessions.c.refresh_hash == bindparam("old"),
        sessions.c.revoked_at.is_(None),
    )
    .values(
        refresh_hash=bindparam("new"),
        previous_hash=bindparam("old"),
        rotated_at=bindparam("now"),
        expires_at=bindparam("expires_at"),
        resumes=False,
    )
    .returning(sessions.c.id)
)
_BIND = (
    update(sessions)
    .where(sessions.c.id == bindparam("session"))
    .values(device_id=bindparam("device"), expires_at=bindparam("expires_at"))
)
_REVOKE = (
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_record = record_reader(Session, sessions, public_jwk=codec.string_map)
_values = row_writer(sessions, public_jwk=codec.dump)


class Sessions(DatabaseRows):
    """Terminal sessions in the database."""

    def add(self, session: Session) -> None:
        """Store a new session."""
        self._db.execute(_ADD, _values(session))

    def get(self, session_id: str) -> Session | None:
        """Return the session with this id."""
        return self._one(_record, _GET, session=session_id)

    def by_refresh(self, refresh_hash: bytes) -> Session | None:
        """Return the session with this current or previous refresh token."""
        return self._one(_record, _BY_REFRESH, hash=refresh_hash)

    def any_resumable(self) -> bool:
        """Return whether terminals may resume sessions after a restore."""
        return self._any(_ANY_RESUMES)

    def resumable(self, jkt: str) -> Session | None:
        """Return the session that this key may resume after a restore."""
        return self._one(_record, _RESUMABLE, key=jkt)

    def rotate(self, session_id: str, old: bytes, new: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if it is still `old`."""
        return self._any(
            _ROTATE, session=session_id, old=old, new=new, now=now, expires_at=expires_at
        )

    def bind(self, session_id: str, device_id: str, expires_at: int) -> None:
        """Assign the session to a device, with a new expiry."""
        values = {"session": session_id, "device": device_id, "expires_at": expires_at}
        self._db.execute(_BIND, values)

    def revoke(self, session_id: str, now: int) -> None:
        """Revoke the session."""
        self._db.execute(_REVOKE, {"session": session_id, "now": now})
