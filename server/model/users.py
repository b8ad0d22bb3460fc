"""Users, their passwords and user codes, and the ports of their rows."""

from dataclasses import dataclass
from typing import Literal, Protocol

UserState = Literal["enabled", "disabled"]


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. `name` and `email` are unique without regard to case."""

    id: str
    name: str
    email: str | None
    roles: tuple[str, ...]
    state: UserState
    created_at: int
    backup: str | None = None
    """Who is asked next if they do not answer."""
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


class UserRows(Protocol):
    """Users. `add` MUST fail with `Taken` if the name or the email address is used."""

    def add(self, user: User) -> None: ...
    def replace(self, user: User) -> None: ...
    def get(self, user_id: str) -> User | None: ...
    def all(self) -> list[User]: ...
    def page(self, after: str, limit: int) -> list[User]:
        """Return the users after this name."""


class UserCodeRows(Protocol):
    """User codes, as keyed hashes; at most one per user."""

    def get(self, user_id: str) -> bytes | None: ...
    def put(self, user_id: str, code_hash: bytes, now: int) -> None: ...
    def drop(self, user_id: str) -> bool:
        """Return whether there was one."""


class PasswordRows(Protocol):
    """Passwords, and the failed sign-in attempts."""

    def get(self, user_id: str) -> Password | None: ...
    def put(self, password: Password) -> None: ...
    def mark_used(self, user_id: str, now: int) -> None:
        """Record a sign-in with it."""

    def remove(self, user_id: str) -> bool: ...
    def paused_until(self, key: bytes, now: int) -> int | None:
        """Return when the next attempt is allowed; None if it is now."""

    def count_attempt(self, key: bytes, now: int, forget_at: int) -> int:
        """Count an attempt; returns how many there were since the last success."""

    def pause(self, key: bytes, until: int) -> None: ...
    def keep_attempts(self, key: bytes, forget_at: int) -> None: ...
    def clear_attempts(self, key: bytes) -> None: ...
    def undo_attempt(self, key: bytes) -> None:
        """Take one attempt back and end the pause after a success."""

    def prune(self, now: int) -> None: ...
