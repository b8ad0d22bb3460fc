"""What the services need of the rows about people who sign in. MUST is a promise of storage."""

from typing import Literal, Protocol

from server.services.people_records import (
    Code,
    Family,
    Flow,
    Password,
    Pushed,
    RefreshToken,
    SignIn,
)


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


class SignInRows(Protocol):
    """Browsers in which somebody is signed in."""

    def add(self, sign_in: SignIn) -> None: ...
    def get(self, sign_in_id: str) -> SignIn | None: ...
    def by_token(self, token_hash: bytes) -> SignIn | None: ...
    def renew(self, sign_in: SignIn) -> None:
        """Somebody signed in again in the same browser: another cookie, time and end."""

    def end(self, sign_in_id: str, now: int) -> bool: ...
    def of_user(self, user_id: str) -> list[str]:
        """Ids of those that have not been ended."""

    def prune(self, now: int) -> None: ...


class FlowRows(Protocol):
    """Authorization requests, pushed or answered. Every step MUST be one conditional UPDATE."""

    def push(self, pushed: Pushed) -> None: ...
    def take(self, pushed_hash: bytes, app_id: str, now: int) -> Pushed | None:
        """The pushed request, if this is its first use, by its own app, in time."""

    def add(self, flow: Flow) -> None: ...
    def get(self, flow_hash: bytes) -> Flow | None: ...
    def bind(self, flow_hash: bytes, sign_in_id: str) -> bool: ...
    def allow(
        self, flow_hash: bytes, sign_in_id: str, approvals: tuple[str, ...], now: int
    ) -> bool:
        """The person said yes on the page; only one yes counts."""

    def finish(self, flow_hash: bytes, now: int) -> bool:
        """It has its answer; at most one call ever gets True."""

    def prune(self, now: int) -> None: ...


class CodeGrantRows(Protocol):
    """Authorization codes, refresh tokens and their families."""

    def add_code(self, code: Code) -> None: ...
    def code(self, code_hash: bytes) -> Code | None: ...
    def use_code(self, code_hash: bytes, now: int) -> bool:
        """Reports whether this call used it up; at most one call ever gets True."""

    def came_of_code(self, code_hash: bytes, jti: str, family_id: str | None) -> None: ...
    def add_family(self, family: Family) -> None: ...
    def family(self, family_id: str) -> Family | None: ...
    def extend_family(self, family_id: str, expires_at: int) -> None: ...
    def end_family(self, family_id: str, now: int) -> bool: ...
    def families_of(self, of: Literal["app_id", "user_id", "sign_in_id"], value: str) -> list[str]:
        """Ids of those that have not ended."""

    def came_with(self, family_id: str, jti: str, now: int) -> None: ...
    def access_tokens(self, family_id: str) -> list[str]: ...
    def add_token(self, token: RefreshToken) -> None: ...
    def token(self, token_hash: bytes) -> RefreshToken | None: ...
    def use_token(self, token_hash: bytes, now: int) -> bool:
        """Reports whether this call used it up; at most one call ever gets True."""

    def prune(self, now: int) -> None: ...
