"""Rows of passwords, and of failed sign-in attempts."""

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.users import Password
from server.storage.prepared import DatabaseRows, Upsert, record_reader
from server.storage.users.tables import password_tries as t
from server.storage.users.tables import passwords as p

_record = record_reader(Password, p)
_GET = select(p).where(p.c.user_id == bindparam("user"))
_CHANGE = update(p).where(p.c.user_id == bindparam("user")).returning(p.c.user_id)
_USED = update(p).where(p.c.user_id == bindparam("user")).values(used_at=bindparam("now"))
_ADD = insert(p)
_REMOVE = delete(p).where(p.c.user_id == bindparam("user")).returning(p.c.user_id)
_PAUSED = select(t.c.not_before).where(
    t.c.key == bindparam("attempt_key"),
    t.c.not_before > bindparam("now"),
    t.c.forget_at > bindparam("now"),
)
_DELETE_OUTDATED = delete(t).where(
    t.c.key == bindparam("attempt_key"), t.c.forget_at <= bindparam("now")
)
_COUNT = Upsert(
    t,
    {
        "key": bindparam("attempt_key"),
        "tries": 1,
        "not_before": 0,
        "forget_at": bindparam("forget_at"),
    },
    lambda insert: insert.on_conflict_do_update(
        index_elements=[t.c.key],
        set_={"tries": t.c.tries + 1, "forget_at": insert.excluded.forget_at},
    ).returning(t.c.tries),
)
_PAUSE = (
    update(t).where(t.c.key == bindparam("attempt_key")).values(not_before=bindparam("not_before"))
)
_KEEP_ATTEMPTS = (
    update(t).where(t.c.key == bindparam("attempt_key")).values(forget_at=bindparam("forget_at"))
)
_CLEAR_ATTEMPTS = delete(t).where(t.c.key == bindparam("attempt_key"))
_UNDO_ATTEMPT = (
    update(t)
    .where(t.c.key == bindparam("attempt_key"), t.c.tries > 0)
    .values(tries=t.c.tries - 1, not_before=0)
)
_PRUNE = delete(t).where(t.c.forget_at <= bindparam("now"))


class Passwords(DatabaseRows):
    """Passwords in the database."""

    def get(self, user_id: str) -> Password | None:
        """Return the password of this user."""
        return self._one(_record, _GET, user=user_id)

    def put(self, password: Password) -> None:
        """Set or replace a password."""
        values = {
            "hash": password.hash,
            "changed_at": password.changed_at,
            "used_at": password.used_at,
        }
        rows = self._db.execute(_CHANGE.values(values), {"user": password.user_id}).all()
        if not rows:
            self._db.execute(_ADD, {"user_id": password.user_id, **values})

    def mark_used(self, user_id: str, now: int) -> None:
        """Record a sign-in with the password."""
        self._db.execute(_USED, {"user": user_id, "now": now})

    def remove(self, user_id: str) -> bool:
        """Remove the password. Returns False if there was none."""
        return self._any(_REMOVE, user=user_id)

    def paused_until(self, key: bytes, now: int) -> int | None:
        """Return when the next attempt is allowed; None if it is allowed now."""
        return self._db.execute(_PAUSED, {"attempt_key": key, "now": now}).scalar()

    def count_attempt(self, key: bytes, now: int, forget_at: int) -> int:
        """Count an attempt; returns the number of attempts since the last success."""
        self._db.execute(_DELETE_OUTDATED, {"attempt_key": key, "now": now})
        return int(_COUNT.run(self._db, {"attempt_key": key, "forget_at": forget_at})[0][0])

    def pause(self, key: bytes, until: int) -> None:
        """Refuse attempts until this time."""
        self._db.execute(_PAUSE, {"attempt_key": key, "not_before": until})

    def keep_attempts(self, key: bytes, forget_at: int) -> None:
        """Keep the failed attempts until `forget_at`."""
        self._db.execute(_KEEP_ATTEMPTS, {"attempt_key": key, "forget_at": forget_at})

    def clear_attempts(self, key: bytes) -> None:
        """Delete the failed attempts."""
        self._db.execute(_CLEAR_ATTEMPTS, {"attempt_key": key})

    def undo_attempt(self, key: bytes) -> None:
        """After a success, subtract one attempt and end the pause."""
        self._db.execute(_UNDO_ATTEMPT, {"attempt_key": key})

    def prune(self, now: int) -> None:
        """Delete outdated attempts."""
        self._db.execute(_PRUNE, {"now": now})
