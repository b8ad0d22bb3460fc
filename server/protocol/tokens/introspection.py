"""The response of token introspection (RFC 7662 2.2, RFC 9701 5).

Owns: which claims a response contains, and their names. Never: whether a token is valid, or who may
introspect it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

INACTIVE: Final[Mapping[str, object]] = {"active": False}
"""The response for a token that is invalid, or that the caller may not inspect."""

JWT_TYPE: Final = "token-introspection+jwt"
JWT_MEDIA_TYPE: Final = "application/token-introspection+jwt"

_CLAIMS: Final = (
    "scope",
    "client_id",
    "sub",
    "sub_profile",
    "aud",
    "iss",
    "jti",
    "iat",
    "exp",
    "act",
    "authorization_details",
    "approval",
    "acr",
    "amr",
    "auth_time",
    "cnf",
)


def active_response(
    claims: Mapping[str, object], *, username: str | None, agent: str | None, owners: Sequence[str]
) -> dict[str, object]:
    """Return the response for a valid access token: its claims, and the agent that uses it."""
    actor = {"name": agent, "owners": list(owners)} if agent is not None else None
    answer: dict[str, object | None] = {
        "active": True,
        **{name: claims.get(name) for name in _CLAIMS},
        "token_type": "DPoP" if "cnf" in claims else "Bearer",
        "username": username,
        "agent": actor,
    }
    return {name: value for name, value in answer.items() if value is not None}


def wants_jwt(accept: str | None) -> bool:
    """Return whether the first type that the caller accepts is a signed response (RFC 9701 4)."""
    first_type = (accept or "").partition(",")[0].partition(";")[0]
    return first_type.strip().lower() == JWT_MEDIA_TYPE


def signed_claims(
    issuer: str, audience: str, now: int, answer: Mapping[str, object]
) -> dict[str, object]:
    """Return the claims of a signed response (RFC 9701 5); `now` is in milliseconds."""
    return {"iss": issuer, "aud": audience, "iat": now // 1000, "token_introspection": dict(answer)}
