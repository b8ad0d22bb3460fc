"""Rows of users, and of their user codes."""

from typing import Any

from sqlalchemy import Row, bindparam, delete, or_, select

from server.model.users import User
from server.services.users.user_members import USER_MEMBERS
from server.storage import codec
from server.storage.named_rows import NamedRows
from server.storage.prepared import DatabaseRows, insert_or_replace
from server.storage.users.tables import user_codes, users

_COLUMNS = ("id", "state", "created_at", "disabled_at")
"""The columns that the server sets, not callers."""
_ALL = select(users).order_by(users.c.name_key)
_PAGE = _ALL.where(users.c.name_key > bindparam("after")).limit(bindparam("limit"))
_BY_ID = select(users).where(users.c.id == bindparam("id"))
_BY_NAME = select(users).where(users.c.name_key == bindparam("key"))
_BY_EMAIL = select(users).where(users.c.email_key == bindparam("key"))
_PUT_CODE = insert_or_replace(user_codes)


class Users(NamedRows):
    """Users in the database."""

    def add(self, user: User) -> None:
        """Store a new user; raises `Taken` if the email or name, or a similar name, is in use."""
        self._insert(users, "user", _values(user))

    def replace(self, user: User) -> None:
        """Store all members; raises `Taken` if the new name or email address is in use."""
        self._replace(users, None, _values(user))

    def all(self) -> list[User]:
        """Return all users, by name."""
        return self._many(_record, _ALL)

    def page(self, after: str, limit: int, search: str = "") -> list[User]:
        """Return the users after this name whose name or email address contains `search`."""
        columns = (users.c.name_key, users.c.email_key)
        matches_search = or_(*(codec.contains(column, search) for column in columns))
        return self._many(_record, _PAGE.where(matches_search), after=codec.key(after), limit=limit)

    def get(self, user_id: str) -> User | None:
        """Return the user with this ID."""
        return self._one(_record, _BY_ID, id=user_id)

    def by_name_or_email(self, name_or_email: str) -> User | None:
        """Return the user with this name or else this email address, ignoring case."""
        key = codec.key(name_or_email)
        return self._one(_record, _BY_NAME, key=key) or self._one(_record, _BY_EMAIL, key=key)


def _record(row: Row[Any]) -> User:
    columns = {name: getattr(row, name) for name in _COLUMNS}
    return User(**columns, **codec.load_members(USER_MEMBERS, row))


def _values(user: User) -> dict[str, object]:
    return {
        "name_key": codec.key(user.name),
        "email_key": None if user.email is None else codec.key(user.email),
        **{name: getattr(user, name) for name in _COLUMNS},
        **codec.member_values(USER_MEMBERS, user),
    }


class UserCodes(DatabaseRows):
    """User codes in the database, as keyed hashes."""

    def get(self, user_id: str) -> bytes | None:
        """Return the hash of this user's code."""
        stored = select(user_codes.c.hash).where(user_codes.c.user_id == user_id)
        return self._one(lambda row: bytes(row[0]), stored)

    def put(self, user_id: str, code_hash: bytes, now: int) -> None:
        """Set or replace this user's code."""
        _PUT_CODE.run(self._db, {"user_id": user_id, "hash": code_hash, "set_at": now})

    def drop(self, user_id: str) -> bool:
        """Delete this user's code; return whether there was one."""
        return self._change(delete(user_codes).where(user_codes.c.user_id == user_id))
