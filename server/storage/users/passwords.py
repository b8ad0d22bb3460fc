"""Rows of passwords, and of failed sign-in attempts."""

from sqlalchemy import delete, select, update

from server.model.users import Password
from server.storage.prepared import ExpiringRows, RecordRows, RecordTable, Upsert
from server.storage.users.tables import password_tries as t
from server.storage.users.tables import passwords as p

_COUNT = Upsert(
    t,
    lambda insert: insert.on_conflict_do_update(
        index_elements=[t.c.key],
        set_={"tries": t.c.tries + 1, "forget_at": insert.excluded.forget_at},
    ).returning(t.c.tries),
)


class Passwords(RecordRows[Password, str], ExpiringRows):
    """Passwords in the database, and failed attempts until they are outdated."""

    records = RecordTable(Password, p)
    expires_at = t.c.forget_at

    def put(self, password: Password) -> None:
        """Set or replace a password."""
        self.records.put(self._db, password)

    def mark_used(self, user_id: str, now: int) -> None:
        """Record a sign-in with the password."""
        self._set(user_id, used_at=now)

    def remove(self, user_id: str) -> bool:
        """Remove the password. Returns False if there was none."""
        return self._change(delete(p).where(p.c.user_id == user_id))

    def paused_until(self, key: bytes, now: int) -> int | None:
        """Return when the next attempt is allowed; None if it is allowed now."""
        paused = select(t.c.not_before).where(t.c.key == key, t.c.not_before > now)
        return self._db.execute(paused.where(t.c.forget_at > now)).scalar()

    def count_attempt(self, key: bytes, now: int, forget_at: int) -> int:
        """Count an attempt; return the number of attempts since the last success."""
        self._change(delete(t).where(t.c.key == key, t.c.forget_at <= now))
        row = {"key": key, "tries": 1, "not_before": 0, "forget_at": forget_at}
        return self._number(_COUNT, **row)

    def pause(self, key: bytes, until: int) -> None:
        """Refuse attempts until this time."""
        self._change(update(t).where(t.c.key == key).values(not_before=until))

    def keep_attempts(self, key: bytes, forget_at: int) -> None:
        """Keep the failed attempts until `forget_at`."""
        self._change(update(t).where(t.c.key == key).values(forget_at=forget_at))

    def clear_attempts(self, key: bytes) -> None:
        """Delete the failed attempts."""
        self._change(delete(t).where(t.c.key == key))

    def undo_attempt(self, key: bytes) -> None:
        """Subtract one attempt and end the pause, after a success."""
        counted = update(t).where(t.c.key == key, t.c.tries > 0)
        self._change(counted.values(tries=t.c.tries - 1, not_before=0))
