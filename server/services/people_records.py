"""What we remember of people who sign in through apps. Times are milliseconds (`*_at`)."""

from dataclasses import dataclass

from server.protocol import names


@dataclass(frozen=True, slots=True)
class Password:
    """A person's password, as argon2id made it."""

    user_id: str
    hash: str
    changed_at: int
    used_at: int | None = None
    """When its person signed in by it last."""


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
