"""Rows of users."""

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from server.model.store import Taken
from server.model.users import User
from server.services.users.user_members import USER_MEMBERS
from server.storage import codec
from server.storage.account_tables import users
from server.storage.clients.names import Names, kept_key
from server.storage.prepared import DatabaseRows

_ADD = insert(users)
_ALL = select(users).order_by(users.c.name_key)
_PAGE = _ALL.where(users.c.name_key > bindparam("after")).limit(bindparam("limit"))
_BY_ID = select(users).where(users.c.id == bindparam("id"))
_BY_NAME = select(users).where(users.c.name_key == bindparam("key"))
_BY_EMAIL = select(users).where(users.c.email_key == bindparam("key"))
_REPLACE = (
    update(users)
    .where(users.c.id == bindparam("user"))
    .values({name: bindparam(name) for name in ("name_key", "email_key", "state", "disabled_at")})
    .values({member.name: bindparam(member.name) for member in USER_MEMBERS})
)


class Users(DatabaseRows):
    """Users in the database."""

    def add(self, user: User) -> None:
        """Raises `Taken` if the email address is used, or the name or one that looks like it."""
        try:
            self._db.execute(_ADD, _values(user))
        except IntegrityError as error:
            raise Taken(user.name) from error
        Names(self._db).give("user", user.id, user.name)

    def replace(self, user: User) -> None:
        """Write every member; raises `Taken` if the new name or email address is used."""
        values = _values(user) | {"user": user.id}
        key = kept_key(self._db, users, user.id, user.name)
        values["name_key"] = key or values["name_key"]
        del values["id"], values["created_at"]
        try:
            self._db.execute(_REPLACE, values)
        except IntegrityError as error:
            raise Taken(user.name) from error

    def all(self) -> list[User]:
        """Return all users, by name."""
        return [_record(row) for row in self._db.execute(_ALL).mappings().all()]

    def page(self, after: str, limit: int) -> list[User]:
        """Return the users after this name."""
        values = {"after": codec.key(after), "limit": limit}
        return [_record(row) for row in self._db.execute(_PAGE, values).mappings().all()]

    def get(self, user_id: str) -> User | None:
        """By id."""
        return _one(self._db.execute(_BY_ID, {"id": user_id}).mappings().first())

    def called(self, name_or_email: str) -> User | None:
        """By name, else by email address, without regard to case."""
        value = {"key": codec.key(name_or_email)}
        row = self._db.execute(_BY_NAME, value).mappings().first()
        return _one(row or self._db.execute(_BY_EMAIL, value).mappings().first())


def _one(row: RowMapping | None) -> User | None:
    return None if row is None else _record(row)


def _record(m: RowMapping) -> User:
    return User(
        id=m["id"],
        state=m["state"],
        created_at=m["created_at"],
        disabled_at=m["disabled_at"],
        **codec.load_members(USER_MEMBERS, m),
    )


def _values(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "name_key": codec.key(user.name),
        "email_key": None if user.email is None else codec.key(user.email),
        "state": user.state,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        **codec.member_values(USER_MEMBERS, user),
    }
