"""People, as JSON."""

from pydantic import BaseModel

from server.model.users import User as UserRecord


class User(BaseModel):
    """A user."""

    id: str
    name: str
    email: str | None
    roles: list[str]


def user(record: UserRecord) -> User:
    """A person as JSON."""
    return User(id=record.id, name=record.name, email=record.email, roles=list(record.roles))
