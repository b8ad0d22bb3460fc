"""Signed authentication requests: the claims of a request object, and its parameters (CIBA 7.1.1).

Owns: the rules of RFC 9101 as CIBA uses them. Never: signatures (`server.crypto`).
"""

import json
from collections.abc import Mapping
from typing import Final

from server.protocol import errors
from server.protocol.forms import Form

LEEWAY_SECONDS: Final = 5
MAX_LIFETIME_SECONDS: Final = 3_600
"""`nbf` is at most this far back, and `exp` at most this long after `nbf` (FAPI-CIBA 5.2.2)."""
PARAMETERS: Final = frozenset(
    {
        "scope",
        "login_hint",
        "id_token_hint",
        "login_hint_token",
        "resource",
        "authorization_details",
        "binding_message",
        "user_code",
        "requested_expiry",
        "acr_values",
        "client_notification_token",
        "supersedes",
        "risk",
    }
)
"""Parameters of a signed request, which must not be sent outside it."""
_MAX_ID = 256


def reject_unsigned_parameters(form: Form) -> None:
    """Refuse parameters outside the signed request. Raises errors.InvalidRequest."""
    if any(form.get(name) is not None for name in PARAMETERS):
        raise errors.InvalidRequest("Put every parameter of a signed request inside it.")


def check(
    claims: Mapping[str, object], *, client_id: str, issuer: str, now: int
) -> tuple[str, int]:
    """Check a request object's claims; return its ID and its expiry in milliseconds.

    1. It is from this client and for this issuer. 2. It is not a client assertion and contains no
    other request. 3. `exp` is in the future, at most an hour after `nbf`. 4. `iat` and `nbf` are
    not in the future, `nbf` is at most an hour ago. 5. It has a `jti`; the caller checks it is new.
    Raises errors.InvalidRequest.
    """
    _check_parties(claims, client_id, issuer)
    if claims.get("sub") == client_id:
        raise errors.InvalidRequest("A client assertion is not a signed request. Leave out sub.")
    if "request" in claims or "request_uri" in claims:
        raise errors.InvalidRequest("A signed request must not contain another signed request.")
    expires = _check_times(claims, now / 1000)
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= _MAX_ID:
        raise errors.InvalidRequest(f"jti must be a string of 1 to {_MAX_ID} characters.")
    return token_id, int((expires + LEEWAY_SECONDS) * 1000)


def to_form(claims: Mapping[str, object]) -> Form:
    """Return the signed parameters as a form.

    `requested_expiry` may be a number (CIBA 7.1.1), `authorization_details` is JSON (RFC 9396 2),
    and `resource` may be a list. Raises errors.InvalidRequest.
    """
    parameters = {
        name: _values(name, value) for name, value in claims.items() if name in PARAMETERS
    }
    return Form({name: values for name, values in parameters.items() if values})


def _check_parties(claims: Mapping[str, object], client_id: str, issuer: str) -> None:
    if claims.get("iss") != client_id or claims.get("client_id", client_id) != client_id:
        raise errors.InvalidRequest("iss of a signed request must be the client_id.")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(name, str) for name in audiences) or issuer not in audiences:
        raise errors.InvalidRequest("aud of a signed request must be this issuer.")


def _check_times(claims: Mapping[str, object], moment: float) -> float:
    expires, issued, begins = (_number(claims, name) for name in ("exp", "iat", "nbf"))
    if not moment - LEEWAY_SECONDS < expires <= begins + MAX_LIFETIME_SECONDS:
        raise errors.InvalidRequest("exp must be in the future, at most an hour after nbf.")
    if issued > moment + LEEWAY_SECONDS:
        raise errors.InvalidRequest("iat must not be in the future.")
    if not moment - MAX_LIFETIME_SECONDS <= begins <= moment + LEEWAY_SECONDS:
        raise errors.InvalidRequest("nbf must not be in the future, nor more than an hour ago.")
    return expires


def _number(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise errors.InvalidRequest(f"A signed request must have {name}, as a number.")
    return float(value)


def _values(name: str, value: object) -> tuple[str, ...]:
    """Return the values of a parameter; empty values count as not sent, as in a form."""
    if name == "authorization_details" and isinstance(value, list):
        return (json.dumps(value, ensure_ascii=False),)
    if name == "requested_expiry" and type(value) is int:
        return (str(value),)
    values = value if name == "resource" and isinstance(value, list) else [value]
    texts = tuple(text for text in values if isinstance(text, str) and "\0" not in text)
    if len(texts) != len(values):
        raise errors.InvalidRequest(f"{name} has the wrong type.")
    return tuple(text for text in texts if text)
