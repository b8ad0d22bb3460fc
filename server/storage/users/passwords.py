"""Rows of passwords, and of failed sign-in attempts."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.model.users import Password
from server.storage.account_tables import password_tries as t
from server.storage.account_tables import passwords as p

_GET = select(p).where(p.c.user_id == bindparam("of"))
_CHANGE = update(p).where(p.c.user_id == bindparam("of")).returning(p.c.user_id)
_USED = update(p).where(p.c.user_id == bindparam("of")).values(used_at=bindparam("now"))
_ADD = insert(p)
_REMOVE = delete(p).where(p.c.user_id == bindparam("of")).returning(p.c.user_id)
_PAUSED = select(t.c.not_before).where(
    t.c.key == bindparam("of"), t.c.not_before > bindparam("now"), t.c.forget_at > bindparam("now")
)
_FORGET = delete(t).where(t.c.key == bindparam("of"), t.c.forget_at <= bindparam("now"))
_PAUSE = update(t).where(t.c.key == bindparam("of")).values(not_before=bindparam("until"))
_WRONG = update(t).where(t.c.key == bindparam("of")).values(forget_at=bindparam("until"))
_RIGHT = delete(t).where(t.c.key == bindparam("of"))
_GIVE_BACK = (
    update(t)
    .where(t.c.key == bindparam("of"), t.c.tries > 0)
    .values(tries=t.c.tries - 1, not_before=0)
)
_PRUNE = delete(t).where(t.c.forget_at <= bindparam("now"))


class Passwords:
    """Passwords in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, user_id: str) -> Password | None:
        """By user ID."""
        row = self._connection.execute(_GET, {"of": user_id}).mappings().first()
        return None if row is None else Password(**row)

    def put(self, password: Password) -> None:
        """Set or replace it."""
        values = {
            "hash": password.hash,
            "changed_at": password.changed_at,
            "used_at": password.used_at,
        }
        changed = self._connection.execute(_CHANGE.values(values), {"of": password.user_id}).all()
        if not changed:
            self._connection.execute(_ADD, {"user_id": password.user_id, **values})

    def mark_used(self, user_id: str, now: int) -> None:
        """Record a sign-in with it."""
        self._connection.execute(_USED, {"of": user_id, "now": now})

    def remove(self, user_id: str) -> bool:
        """Report whether there was one."""
        return bool(self._connection.execute(_REMOVE, {"of": user_id}).all())

    def paused_until(self, key: bytes, now: int) -> int | None:
        """Return when the next attempt is allowed; None if it is now."""
        return self._connection.execute(_PAUSED, {"of": key, "now": now}).scalar()

    def count_attempt(self, key: bytes, now: int, forget_at: int) -> int:
        """Count an attempt; returns how many there were since the last success."""
        self._connection.execute(_FORGET, {"of": key, "now": now})
        on_postgresql = self._connection.dialect.name == "postgresql"
        make = postgresql.insert if on_postgresql else sqlite.insert
        count = (
            make(t)
            .values(key=key, tries=1, not_before=0, forget_at=forget_at)
            .on_conflict_do_update(
                index_elements=[t.c.key], set_={"tries": t.c.tries + 1, "forget_at": forget_at}
            )
            .returning(t.c.tries)
        )
        return int(self._connection.execute(count).scalar_one())

    def pause(self, key: bytes, until: int) -> None:
        """Allow no attempt before then."""
        self._connection.execute(_PAUSE, {"of": key, "until": until})

    def keep_attempts(self, key: bytes, forget_at: int) -> None:
        """Keep the failed attempts until then."""
        self._connection.execute(_WRONG, {"of": key, "until": forget_at})

    def clear_attempts(self, key: bytes) -> None:
        """Delete the failed attempts."""
        self._connection.execute(_RIGHT, {"of": key})

    def undo_attempt(self, key: bytes) -> None:
        """Take one attempt back and end the pause after a success."""
        self._connection.execute(_GIVE_BACK, {"of": key})

    def prune(self, now: int) -> None:
        """Delete outdated attempts."""
        self._connection.execute(_PRUNE, {"now": now})
