"""Users and their passwords."""

from dataclasses import dataclass
from typing import Literal

UserState = Literal["enabled", "disabled"]


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. `name` and `email` are unique, ignoring case."""

    id: str
    name: str
    email: str | None
    roles: tuple[str, ...]
    state: UserState
    created_at: int
    backup: str | None = None
    """The user to ask next if this user does not answer."""
    disabled_at: int | None = None
    """When they were disabled; None while they are enabled."""

    @property
    def enabled(self) -> bool:
        """Whether the user may ask, decide or be asked."""
        return self.state == "enabled"


@dataclass(frozen=True, slots=True)
class Password:
    """A password hash, by argon2id."""

    user_id: str
    hash: str
    changed_at: int
    used_at: int | None = None
    """When the user last signed in with it."""
