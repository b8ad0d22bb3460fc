"""What is said of a token to whoever may ask (RFC 7662 2.2, RFC 9701 5).

Owns: which claims are told, and under which names. Never: whether a token counts, or who may ask.
"""

from collections.abc import Mapping, Sequence
from typing import Final

INACTIVE: Final[Mapping[str, object]] = {"active": False}
"""All that is ever said of a token that does not count, or that is not the caller's business."""

JWT_TYPE: Final = "token-introspection+jwt"
JWT_MEDIA_TYPE: Final = "application/token-introspection+jwt"

_TOLD: Final = (
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


def active(
    claims: Mapping[str, object],
    *,
    username: str | None,
    agent: str | None,
    owners: Sequence[str],
) -> dict[str, object]:
    """The answer for an access token that counts: what is in it, and who is behind it."""
    behind = {"name": agent, "owners": list(owners)} if agent is not None else None
    answer: dict[str, object | None] = {
        "active": True,
        **{name: claims.get(name) for name in _TOLD},
        "token_type": "DPoP" if "cnf" in claims else "Bearer",
        "username": username,
        "agent": behind,
    }
    return {name: value for name, value in answer.items() if value is not None}


def wants_jwt(accept: str | None) -> bool:
    """Reports whether the caller asks for a signed answer (RFC 9701 4)."""
    return (accept or "").strip().lower() == JWT_MEDIA_TYPE


def signed_claims(
    issuer: str, audience: str, now: int, answer: Mapping[str, object]
) -> dict[str, object]:
    """The claims of a signed answer (RFC 9701 5); `now` in milliseconds."""
    return {
        "iss": issuer,
        "aud": audience,
        "iat": now // 1000,
        "token_introspection": dict(answer),
    }
