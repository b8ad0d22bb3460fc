"""Rows of users."""

from typing import Any

from sqlalchemy import Row, bindparam, select

from server.model.users import User
from server.services.users.user_members import USER_MEMBERS
from server.storage import codec
from server.storage.named_rows import NamedRows
from server.storage.users.tables import users

_COLUMNS = ("id", "state", "created_at", "disabled_at")
"""The columns that callers cannot set as members."""
_ALL = select(users).order_by(users.c.name_key)
_PAGE = _ALL.where(users.c.name_key > bindparam("after")).limit(bindparam("limit"))
_BY_ID = select(users).where(users.c.id == bindparam("id"))
_BY_NAME = select(users).where(users.c.name_key == bindparam("key"))
_BY_EMAIL = select(users).where(users.c.email_key == bindparam("key"))


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

    def page(self, after: str, limit: int) -> list[User]:
        """Return the users after this name."""
        return self._many(_record, _PAGE, after=codec.key(after), limit=limit)

    def get(self, user_id: str) -> User | None:
        """Return the user with this id."""
        return self._one(_record, _BY_ID, id=user_id)

    def called(self, name_or_email: str) -> User | None:
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
