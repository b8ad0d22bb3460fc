"""Claims about a person, and how apps request them (OpenID Connect Core 5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from server.protocol import errors, json_text
from server.protocol.json_text import JsonValue

BY_SCOPE: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": ("name", "preferred_username"),
    "email": ("email", "email_verified"),
}
"""The claims of each scope about the person (5.4)."""
_DESCRIPTIONS: Final[Mapping[str, str]] = {"profile": "your name", "email": "your email address"}
SUPPORTED: Final = (
    *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"),
    *(name for names in BY_SCOPE.values() for name in names),
)
_PERSON_CLAIMS: Final = frozenset(name for names in BY_SCOPE.values() for name in names)


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The supported parts of the `claims` parameter."""

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    acr: tuple[str, ...] | None = None
    """The values of an essential `acr`; one of them is required. None if not essential."""
    sub: tuple[str, ...] | None = None
    """The only users who may sign in; None if the request does not name a user."""


def read(text: str | None) -> ClaimsRequest:
    """Parse the parameter; unknown claims are ignored (5.5). Raises errors.InvalidRequest."""
    if text is None:
        return ClaimsRequest()
    members = json_text.parse(text, what="claims")
    if not isinstance(members, dict):
        raise errors.InvalidRequest("claims must be a JSON object.")
    id_token, userinfo = _members(members, "id_token"), _members(members, "userinfo")
    return ClaimsRequest(
        id_token=tuple(name for name in id_token if name in _PERSON_CLAIMS),
        userinfo=tuple(name for name in userinfo if name in _PERSON_CLAIMS),
        acr=_essential_values(id_token.get("acr")),
        sub=_requested_values(id_token.get("sub")),
    )


def names(scopes: Collection[str], requested: Collection[str]) -> frozenset[str]:
    """Return the claim names of these scopes and of a claims request."""
    of_scopes = {name for scope in scopes for name in BY_SCOPE.get(scope, ())}
    return frozenset({*of_scopes, *requested})


def in_words(scopes: Collection[str]) -> str:
    """Describe to the person what these scopes reveal about them."""
    parts = ["your user ID", *(text for scope, text in _DESCRIPTIONS.items() if scope in scopes)]
    *first_parts, last_part = parts
    return f"{', '.join(first_parts)} and {last_part}" if first_parts else last_part


def select_claims(user: Mapping[str, object], chosen: Collection[str]) -> dict[str, object]:
    """Return the chosen claims of a person that have a value."""
    return {name: value for name, value in user.items() if name in chosen and value is not None}


def _members(claims: Mapping[str, JsonValue], token: str) -> Mapping[str, JsonValue]:
    requested = claims.get(token)
    if requested is None:
        return {}
    if not isinstance(requested, dict):
        raise errors.InvalidRequest(f"claims: {token} must be a JSON object.")
    return requested


def _essential_values(acr: JsonValue | None) -> tuple[str, ...] | None:
    if not isinstance(acr, dict) or acr.get("essential") is not True:
        return None
    return _requested_values(acr) or None


def _requested_values(claim: JsonValue | None) -> tuple[str, ...] | None:
    """Return the values that a request names for a claim (5.5.1); None if it names none."""
    if not isinstance(claim, dict) or not {"value", "values"} & claim.keys():
        return None
    values = claim.get("values", [claim.get("value")])
    listed = values if isinstance(values, list) else []
    return tuple(value for value in listed if isinstance(value, str))
