"""The `login_hint_token` of a request (CIBA 7.1).

It is either a hint token, which an agent gets when an exchange needs a person's approval, or the
access token of the call that the agent handles.

Owns: the claims and lifetime of hint tokens, and the check of a request that carries one.
Never: their signature (crypto), or their reuse and parent token (services).

A hint token fixes the agent, person, parent token, resource and scopes of the exchange, and its
details if it had any. A request with the token cannot request anything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import base64url, errors, json_text
from server.protocol.json_text import JsonValue
from server.protocol.resources import scopes, uris

TYPE: Final = "sayso-login-hint+jwt"
_CALLER_MEMBERS: Final = ("iss", "aud", "sub", "client_id", "act")
"""Members of an access token that are the same in all calls of a client."""
SECONDS: Final = 600
"""The maximum lifetime of a hint token, which never outlives its parent."""

_NOT_ISSUED_TO_CLIENT: Final = "login_hint_token was not issued to this client by this issuer."


@dataclass(frozen=True, slots=True)
class LoginHint:
    """An exchange that needs a person's approval. Times are in seconds."""

    token_id: str
    agent: str
    user: str
    parent: str
    """The token that was to be exchanged. The new token never outlives it."""
    resource: str
    scope: tuple[str, ...]
    details: tuple[Mapping[str, JsonValue], ...]
    """Empty if the exchange had none; the request may then add them."""
    issued_at: int
    expires_at: int


def claims(hint: LoginHint, issuer: str) -> dict[str, object]:
    """Return the claims of a hint token."""
    members: dict[str, object] = {
        "iss": issuer,
        "aud": issuer,
        "sub": hint.user,
        "client_id": hint.agent,
        "parent": hint.parent,
        "resource": hint.resource,
        "scope": scopes.text(hint.scope),
        "jti": hint.token_id,
        "iat": hint.issued_at,
        "exp": hint.expires_at,
    }
    if hint.details:
        members["authorization_details"] = [dict(detail) for detail in hint.details]
    return members


def parse(signed: Mapping[str, object], *, issuer: str, agent: str, now: int) -> LoginHint:
    """Return the hint in verified claims; `now` is in milliseconds.

    Raises errors.InvalidRequest if it is not for this agent, or errors.ExpiredLoginHintToken.
    """
    texts = {
        name: _text(signed, name) for name in ("sub", "client_id", "parent", "resource", "jti")
    }
    # 1. We issued the hint for this agent.
    if signed.get("iss") != issuer or signed.get("aud") != issuer or texts["client_id"] != agent:
        raise errors.InvalidRequest(_NOT_ISSUED_TO_CLIENT)
    # 2. The hint has not expired.
    issued_at, expires_at = _seconds(signed, "iat"), _seconds(signed, "exp")
    if now >= expires_at * 1000:
        raise errors.ExpiredLoginHintToken(
            "login_hint_token has expired. Exchange the token again."
        )
    scope = _text(signed, "scope")
    return LoginHint(
        token_id=texts["jti"],
        agent=agent,
        user=texts["sub"],
        parent=texts["parent"],
        resource=texts["resource"],
        scope=scopes.parse(scope) if scope else (),
        details=_details(signed.get("authorization_details", [])),
        issued_at=issued_at,
        expires_at=expires_at,
    )


def is_from_exchange(token: str) -> bool:
    """Return whether a token claims to be a hint token. Nothing is verified."""
    header = _decode_part(token, 0)
    return header is not None and header.get("typ") == TYPE


def comparable(token: str) -> JsonValue:
    """Return the members of a token that identify a repeated request.

    For a hint token, these are all members except its ID and times. For an access token, they
    identify the caller, so that a newer token of the same client joins the earlier request. An
    unreadable token is returned as is. Nothing is verified: this only compares two requests of one
    agent.
    """
    payload = _decode_part(token, 1)
    if payload is None:
        return token
    if not is_from_exchange(token):
        return {name: payload[name] for name in _CALLER_MEMBERS if name in payload}
    return {name: value for name, value in payload.items() if name not in {"jti", "iat", "exp"}}


def check_request(
    hint: LoginHint,
    *,
    resource: str | None,
    scope: Sequence[str],
    details: Sequence[Mapping[str, JsonValue]],
) -> tuple[Mapping[str, JsonValue], ...]:
    """Check the other parameters of a request against the hint; return the effective details.

    `scope` excludes OpenID scopes. A parameter that was sent must equal the hint's value; an
    omitted one takes the hint's value. Raises errors.InvalidRequest.
    """
    if not uris.may_name(resource, hint.resource):
        raise errors.InvalidRequest("resource differs from login_hint_token. Leave it out.")
    if scope and tuple(sorted(scope)) != hint.scope:
        raise errors.InvalidRequest("scope differs from login_hint_token. Send only openid.")
    if hint.details and details and list(details) != list(hint.details):
        raise errors.InvalidRequest(
            "authorization_details differ from login_hint_token. Leave them out."
        )
    return hint.details or tuple(details)


def _decode_part(token: str, index: int) -> dict[str, JsonValue] | None:
    """Return the header (0) or payload (1) of a JWT, or None if it is not readable."""
    try:
        part = json_text.parse(base64url.decode(token.split(".")[index]), max_bytes=len(token))
    except (IndexError, ValueError, errors.InvalidRequest):
        return None
    return part if isinstance(part, dict) else None


def _text(signed: Mapping[str, object], name: str) -> str:
    value = signed.get(name)
    if not isinstance(value, str):
        raise errors.InvalidRequest(_NOT_ISSUED_TO_CLIENT)
    return value


def _seconds(signed: Mapping[str, object], name: str) -> int:
    value = signed.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.InvalidRequest(_NOT_ISSUED_TO_CLIENT)
    return value


def _details(value: object) -> tuple[Mapping[str, JsonValue], ...]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise errors.InvalidRequest(_NOT_ISSUED_TO_CLIENT)
    return tuple(value)
