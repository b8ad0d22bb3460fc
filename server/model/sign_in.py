"""Signing in to apps: flows, codes and refresh tokens."""

from dataclasses import dataclass

from server.protocol import names


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that is signed in to apps. `id` is the `sid` of ID tokens."""

    id: str
    token_hash: bytes
    """SHA-256 of the cookie."""
    user_id: str
    auth_time: int
    """When the person authenticated; in milliseconds, like all other times here."""
    expires_at: int
    ended_at: int | None = None
    acr: str = names.ACR_PASSWORD
    """How they last authenticated."""
    device_id: str | None = None
    """The device whose passkey they last used; None for a password."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An authorization request in progress."""

    hash: bytes
    app_id: str
    parameters: str
    """JSON text of `protocol.sign_in.authorize.to_stored`."""
    created_at: int
    expires_at: int
    sign_in_id: str | None = None
    """The sign-in that it belongs to, after the person signed in."""
    allowed_at: int | None = None
    approvals: tuple[str, ...] = ()
    """The approvals that the person must sign on a device."""
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
    """"" if only OpenID scopes were granted."""
    scope: tuple[str, ...]
    auth_time: int
    actor: str | None = None
    nonce: str | None = None
    id_token_claims: tuple[str, ...] = ()
    userinfo_claims: tuple[str, ...] = ()
    jkt: str | None = None
    """The key that the code (RFC 9449 10), and later the refresh tokens, are bound to."""
    acr: str = names.ACR_PASSWORD
    """How the person authenticated."""
    device_id: str | None = None
    """The device whose passkey the person signed in with; None for a password."""
    approval_id: str | None = None
    """The approval signed for this grant only. It contains the details and allows one token."""


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
    """All refresh tokens that come from one code."""

    id: str
    grant: Grant
    created_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token of a family."""

    hash: bytes
    family_id: str
    created_at: int
    used_at: int | None = None
