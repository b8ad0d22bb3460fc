"""Signing in to apps: flows, codes, refresh tokens, and the ports of their rows."""

from dataclasses import dataclass
from typing import Literal, Protocol

from server.protocol import names


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that is signed in to apps. `id` is the `sid` of ID tokens."""

    id: str
    token_hash: bytes
    """SHA-256 of the cookie."""
    user_id: str
    auth_time: int
    """When the person authenticated; milliseconds, like every other time here."""
    expires_at: int
    ended_at: int | None = None
    acr: str = names.ACR_PASSWORD
    """How they last authenticated."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An authorization request in progress."""

    hash: bytes
    app_id: str
    parameters: str
    """JSON text of `protocol.authorize.to_stored`."""
    created_at: int
    expires_at: int
    sign_in_id: str | None = None
    """The sign-in that it belongs to, after the person signed in."""
    allowed_at: int | None = None
    approvals: tuple[str, ...] = ()
    """The approvals that the person was asked to sign on a device."""
    done_at: int | None = None


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A pushed authorization request (RFC 9126)."""

    hash: bytes
    app_id: str
    parameters: str
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's grant to an app; codes and refresh tokens refer to it."""

    app_id: str
    user_id: str
    sign_in_id: str
    """"" if it was granted on a device without a browser."""
    redirect_uri: str
    openid: tuple[str, ...]
    resource: str
    """"" if the scopes are only about the person."""
    scope: tuple[str, ...]
    actor: str | None
    nonce: str | None
    auth_time: int
    id_token_claims: tuple[str, ...]
    userinfo_claims: tuple[str, ...]
    jkt: str | None
    """The key that the code is bound to (RFC 9449 10), then the key of the refresh tokens."""
    acr: str = names.ACR_PASSWORD
    """How the person authenticated."""
    approval_id: str | None = None
    """The approval signed for this grant only, which has the details; it gives one token."""


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code."""

    hash: bytes
    grant: Grant
    challenge: str
    expires_at: int
    used_at: int | None = None
    jti: str | None = None
    """The access token issued for it."""
    family_id: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """All refresh tokens of one code."""

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
    """Browsers that are signed in to apps."""

    def add(self, sign_in: SignIn) -> None: ...
    def get(self, sign_in_id: str) -> SignIn | None: ...
    def by_token(self, token_hash: bytes) -> SignIn | None: ...
    def renew(self, sign_in: SignIn) -> None:
        """Sign in again in the same browser: new cookie, time and expiry."""

    def end(self, sign_in_id: str, now: int) -> bool: ...
    def of_user(self, user_id: str) -> list[str]:
        """Return the IDs of those that have not ended."""

    def prune(self, now: int) -> None: ...


class FlowRows(Protocol):
    """Authorization requests, pushed or in progress. Every step MUST be one conditional UPDATE."""

    def push(self, pushed: PushedRequest) -> None: ...
    def take(self, pushed_hash: bytes, app_id: str, now: int) -> PushedRequest | None:
        """Return the pushed request on its first use, by its own app, before it expires."""

    def add(self, flow: Flow) -> None: ...
    def get(self, flow_hash: bytes) -> Flow | None: ...
    def bind(self, flow_hash: bytes, sign_in_id: str) -> bool: ...
    def allow(
        self, flow_hash: bytes, sign_in_id: str, approvals: tuple[str, ...], now: int
    ) -> bool:
        """Store the person's consent on the page; only the first one counts."""

    def finish(self, flow_hash: bytes, now: int) -> bool:
        """Return whether this call finished it; at most one call gets True."""

    def prune(self, now: int) -> None: ...


class CodeGrantRows(Protocol):
    """Authorization codes, refresh tokens and their families."""

    def add_code(self, code: AuthorizationCode) -> None: ...
    def code(self, code_hash: bytes) -> AuthorizationCode | None: ...
    def use_code(self, code_hash: bytes, now: int) -> bool:
        """Return whether this call used it up; at most one call gets True."""

    def set_code_tokens(self, code_hash: bytes, jti: str, family_id: str | None) -> None: ...
    def add_family(self, family: Family) -> None: ...
    def family(self, family_id: str) -> Family | None: ...
    def extend_family(self, family_id: str, expires_at: int) -> None: ...
    def end_family(self, family_id: str, now: int) -> bool: ...
    def families_of(self, of: Literal["app_id", "user_id", "sign_in_id"], value: str) -> list[str]:
        """Return the IDs of those that have not ended."""

    def add_access_token(self, family_id: str, jti: str, now: int) -> None: ...
    def access_tokens(self, family_id: str) -> list[str]: ...
    def add_token(self, token: RefreshToken) -> None: ...
    def token(self, token_hash: bytes) -> RefreshToken | None: ...
    def use_token(self, token_hash: bytes, now: int) -> bool:
        """Return whether this call used it up; at most one call gets True."""

    def prune(self, now: int) -> None: ...
