"""People, their passwords and user codes, and what their rows promise."""

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
    """Who is asked too when they do not answer."""
    disabled_at: int | None = None
    """When they were stopped; None while they are enabled."""

    @property
    def enabled(self) -> bool:
        """Reports whether the user may ask, decide or be asked."""
        return self.state == "enabled"


@dataclass(frozen=True, slots=True)
class Password:
    """A person's password, as argon2id made it."""

    user_id: str
    hash: str
    changed_at: int
    used_at: int | None = None
    """When its person signed in by it last."""


class UserRows(Protocol):
    """People. `add` MUST fail with `Taken` if the name or the e-mail is used."""

    def add(self, user: User) -> None: ...
    def replace(self, user: User) -> None: ...
    def get(self, user_id: str) -> User | None: ...
    def all(self) -> list[User]: ...
    def page(self, after: str, limit: int) -> list[User]:
        """Those whose names come after this one."""


class UserCodeRows(Protocol):
    """The codes that people want of agents, as keyed hashes; one each."""

    def get(self, user_id: str) -> bytes | None: ...
    def put(self, user_id: str, code_hash: bytes, now: int) -> None: ...
    def drop(self, user_id: str) -> bool:
        """Reports whether there was one."""


class PasswordRows(Protocol):
    """Passwords, and how often each sign-in form was tried in vain."""

    def get(self, user_id: str) -> Password | None: ...
    def put(self, password: Password) -> None: ...
    def used(self, user_id: str, now: int) -> None:
        """Its person signed in by it."""

    def remove(self, user_id: str) -> bool: ...
    def paused_until(self, key: bytes, now: int) -> int | None:
        """When this form may be tried again; None when it may be now."""

    def tried(self, key: bytes, now: int, forget_at: int) -> int:
        """Count one more try; returns how many there were since the last that was right."""

    def pause(self, key: bytes, until: int) -> None: ...
    def was_wrong(self, key: bytes, forget_at: int) -> None: ...
    def was_right(self, key: bytes) -> None: ...
    def give_back(self, key: bytes) -> None:
        """One try less, and no pause: it was right."""

    def prune(self, now: int) -> None: ...
