"""Signing in to apps: flows, codes, refresh tokens, and what their rows promise."""

from dataclasses import dataclass
from typing import Literal, Protocol

from server.protocol import names


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser in which somebody is signed in. `id` is the `sid` of ID tokens."""

    id: str
    token_hash: bytes
    """SHA-256 of the cookie."""
    user_id: str
    auth_time: int
    """When the person proved who they are; milliseconds, like every other time here."""
    expires_at: int
    ended_at: int | None = None
    acr: str = names.ACR_PASSWORD
    """How they did, the last time."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An authorization request while its person answers."""

    hash: bytes
    app_id: str
    parameters: str
    """JSON text, as `protocol.authorize.kept` has them."""
    created_at: int
    expires_at: int
    sign_in_id: str | None = None
    """The sign-in that it belongs to, once somebody answered."""
    allowed_at: int | None = None
    approvals: tuple[str, ...] = ()
    """What the person was asked to sign on a device."""
    done_at: int | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """A request that its app pushed (RFC 9126)."""

    hash: bytes
    app_id: str
    parameters: str
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person let an app have; codes and refresh tokens stand for one."""

    app_id: str
    user_id: str
    sign_in_id: str
    """"" when it was given on a device and not through a browser."""
    redirect_uri: str
    openid: tuple[str, ...]
    resource: str
    """"" when the scopes are about the person alone."""
    scope: tuple[str, ...]
    actor: str | None
    nonce: str | None
    auth_time: int
    id_token_claims: tuple[str, ...]
    userinfo_claims: tuple[str, ...]
    jkt: str | None
    """The key that the code is for (RFC 9449 10), then the one that refresh tokens are bound to."""
    acr: str = names.ACR_PASSWORD
    """How the person proved who they are."""
    approval_id: str | None = None
    """What they signed for this grant alone, which has the details; one token comes of it."""


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code."""

    hash: bytes
    grant: Grant
    challenge: str
    expires_at: int
    used_at: int | None = None
    jti: str | None = None
    """The access token that came out."""
    family_id: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """All refresh tokens that came of one code."""

    id: str
    grant: Grant
    created_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One refresh token of a family."""

    hash: bytes
    family_id: str
    created_at: int
    used_at: int | None = None


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

    def set_code_tokens(self, code_hash: bytes, jti: str, family_id: str | None) -> None: ...
    def add_family(self, family: Family) -> None: ...
    def family(self, family_id: str) -> Family | None: ...
    def extend_family(self, family_id: str, expires_at: int) -> None: ...
    def end_family(self, family_id: str, now: int) -> bool: ...
    def families_of(self, of: Literal["app_id", "user_id", "sign_in_id"], value: str) -> list[str]:
        """Ids of those that have not ended."""

    def add_access_token(self, family_id: str, jti: str, now: int) -> None: ...
    def access_tokens(self, family_id: str) -> list[str]: ...
    def add_token(self, token: RefreshToken) -> None: ...
    def token(self, token_hash: bytes) -> RefreshToken | None: ...
    def use_token(self, token_hash: bytes, now: int) -> bool:
        """Reports whether this call used it up; at most one call ever gets True."""

    def prune(self, now: int) -> None: ...
