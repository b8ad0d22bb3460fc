"""The claims of issued tokens (RFC 9068, OpenID Connect Core 2, CIBA 10)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.protocol import base64url, names
from server.protocol.json_text import JsonValue

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # a media type
JTI: Final = "sayso_at_"
"""The prefix of access token IDs."""
ID_TOKEN_TYPE: Final = "JWT"  # noqa: S105  # a media type
ID_TOKEN_SECONDS: Final = 300
API_TOKEN_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Approved:
    """The approval that an access token refers to, and who decided it."""

    id: str
    action_digest: str
    granted_digest: str
    single_use: bool
    acr: str | None = None
    """How the person authenticated when they answered; None if they were not asked."""
    amr: tuple[str, ...] = ()
    auth_time: int | None = None
    """Seconds."""
    decided_by: Mapping[str, object] | None = None
    """The consent, standing grant or users that decided instead of the person."""


@dataclass(frozen=True, slots=True)
class TokenContents:
    """The contents of a token. Times are in seconds."""

    issuer: str
    token_id: str
    agent: str
    user: str | None
    resource: str
    scope: str
    details: Sequence[Mapping[str, JsonValue]]
    issued_at: int
    expires_at: int
    approved: Approved | None = None
    jkt: str | None = None
    """The thumbprint of the client's key if the token is bound to it (RFC 9449 6.1)."""
    parent_act: Mapping[str, object] | None = None
    """The `act` claim of the token that this one is derived from."""
    copied_claims: Mapping[str, object] = field(default_factory=dict)
    """Claims copied from the parent: how the person signed in or answered."""


def token_type(jkt: str | None) -> str:
    """Return how a token with this key thumbprint is presented (RFC 9449 5)."""
    return "Bearer" if jkt is None else "DPoP"


def actor(contents: TokenContents) -> dict[str, object] | None:
    """Return the `act` claim if the agent acts for a person (RFC 8693 4.1).

    The current actor is outermost; earlier actors are nested.
    """
    if contents.user is None:
        return None
    return act_claim(contents.issuer, contents.agent, contents.parent_act)


def act_claim(
    issuer: str, agent: str, parent_act: Mapping[str, object] | None
) -> dict[str, object]:
    """Return the `act` claim with the agent as the current actor and `parent_act` nested in it."""
    current: dict[str, object] = {
        "sub": agent,
        "iss": issuer,
        "sub_profile": names.SUB_PROFILE_AGENT,
    }
    return current if parent_act is None else {**current, "act": dict(parent_act)}


def access_token_claims(contents: TokenContents) -> dict[str, object]:
    """Return the claims of an access token (RFC 9068 2.2)."""
    has_user = contents.user is not None
    claims: dict[str, object | None] = {
        "iss": contents.issuer,
        "sub": contents.user or contents.agent,
        "sub_profile": names.SUB_PROFILE_USER if has_user else names.SUB_PROFILE_AGENT,
        "aud": contents.resource,
        "client_id": contents.agent,
        "act": actor(contents),
        "scope": contents.scope or None,
        "authorization_details": list(contents.details) or None,
        "jti": contents.token_id,
        "iat": contents.issued_at,
        "exp": contents.expires_at,
        "cnf": None if contents.jkt is None else {"jkt": contents.jkt},
        **contents.copied_claims,
        **approval_claims(contents.approved),
    }
    return {name: value for name, value in claims.items() if value is not None}


def id_token_claims(
    contents: TokenContents, *, auth_req_id: str, access_token: str, alg: str
) -> dict[str, object]:
    """Return the claims of the ID token that is issued with an access token (CIBA 10.1.1)."""
    claims: dict[str, object] = {
        "iss": contents.issuer,
        "sub": contents.user,
        "aud": contents.agent,
        "iat": contents.issued_at,
        "exp": contents.issued_at + ID_TOKEN_SECONDS,
        "at_hash": at_hash(access_token, alg),
        names.CLAIM_AUTH_REQ_ID: auth_req_id,
    }
    return claims | authentication_claims(contents.approved)


def at_hash(access_token: str, alg: str) -> str:
    """Return the left half of the token's hash (OpenID Connect Core 3.1.3.6)."""
    hashed = hashlib.sha512 if alg == "EdDSA" else hashlib.sha256
    digest = hashed(access_token.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2])


def approval_claims(approved: Approved | None) -> dict[str, object]:
    """Return the claims about the approval of a token; {} if it has none."""
    if approved is None:
        return {}
    claims: dict[str, object] = {
        "id": approved.id,
        "action_digest": approved.action_digest,
        "granted_digest": approved.granted_digest,
        "single_use": approved.single_use,
    }
    if approved.decided_by is not None:
        claims["decided_by"] = dict(approved.decided_by)
    return {"approval": claims, **authentication_claims(approved)}


def authentication_claims(approved: Approved | None) -> dict[str, object]:
    """Return the claims about how the person authenticated; {} if nobody was asked."""
    if approved is None or approved.acr is None:
        return {}
    return {"acr": approved.acr, "amr": list(approved.amr), "auth_time": approved.auth_time}
