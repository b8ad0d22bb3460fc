"""Client authentication: the credentials of a request, and the claims of an assertion.

RFC 6749 2.3 and RFC 7523.
"""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from server.protocol import errors, names
from server.protocol.forms import Form

LEEWAY_SECONDS: Final = 5
MAX_ASSERTION_SECONDS: Final = 3_600
_MAX_ID = 256
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a request. `client_id` is None until an assertion is parsed."""

    method: str
    client_id: str | None
    secret: str = ""
    assertion: str = ""


def read_credentials(authorization: str | None, form: Form) -> Credentials:
    """Return the credentials with which this request authenticates its client.

    Raises errors.InvalidClient if there are none, and errors.InvalidRequest if the request uses
    more than one method.
    """
    all_credentials = [
        credentials
        for credentials in (
            _read_basic(authorization, form),
            _read_post(form),
            _read_assertion(form),
        )
        if credentials is not None
    ] or _read_public(form)
    if len(all_credentials) > 1:
        raise errors.InvalidRequest("Use only one method of client authentication.")
    if not all_credentials:
        raise invalid_client("no credentials")
    used = all_credentials[0]
    if not is_credential(used.client_id or "") or not is_credential(used.secret):
        raise invalid_client("no client has these credentials")
    return used


def is_credential(text: str) -> bool:
    """Return whether this can be a client ID or secret. "" means that none was sent."""
    return len(text) <= _MAX_ID and text.isascii() and text.isprintable()


def check_assertion(
    claims: Mapping[str, object], *, client_id: str, audiences: Collection[str], now: int
) -> tuple[str, int]:
    """Check an assertion's claims; return its ID and its expiry in milliseconds.

    1. `iss` and `sub` are the client. 2. `aud` is one string, one of ours. 3. `exp` is in the
    future, by at most an hour. 4. `nbf` and `iat` are not in the future. 5. It has a `jti`; the
    caller checks that it is new. Raises errors.InvalidClient.
    """
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise invalid_client("iss or sub is not the client")
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in audiences:
        raise invalid_client("aud is not one of ours")
    moment = now / 1000
    expires = _number(claims, "exp")
    if expires is None or expires <= moment - LEEWAY_SECONDS:
        raise invalid_client("exp is missing or past")
    if expires > moment + MAX_ASSERTION_SECONDS:
        raise invalid_client("exp is too far ahead")
    for name in ("nbf", "iat"):
        begins = _number(claims, name)
        if name in claims and (begins is None or begins > moment + LEEWAY_SECONDS):
            raise invalid_client(f"{name} is not a time, or is in the future")
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= _MAX_ID:
        raise invalid_client("jti is missing")
    return token_id, int((expires + LEEWAY_SECONDS) * 1000)


def issued_at(claims: Mapping[str, object]) -> float:
    """Return the earliest time at which a checked assertion can have been issued, in milliseconds.

    An assertion without `iat` is treated as if it had the maximum age.
    """
    issued, expires = _number(claims, "iat"), _number(claims, "exp")
    return 1000 * (issued if issued is not None else (expires or 0) - MAX_ASSERTION_SECONDS)


def invalid_client(detail: str) -> errors.InvalidClient:
    """Return the same error for all failures (RFC 6749 5.2); log the reason."""
    return errors.InvalidClient("Client authentication failed.", detail=detail)


def _read_basic(authorization: str | None, form: Form) -> Credentials | None:
    if authorization is None:
        return None
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("unknown authorization scheme")
    try:
        text = _decode_base64(encoded.strip()).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise invalid_client("unreadable Basic credentials") from error
    name, colon, secret = text.partition(":")
    if not colon:
        raise invalid_client("Basic credentials without a colon")
    client_id = _decode_form(name)
    if form.get("client_id") not in {None, client_id}:
        raise invalid_client("two client IDs")
    return Credentials("client_secret_basic", client_id, secret=_decode_form(secret))


def _decode_base64(encoded: str) -> bytes:
    """Decode canonical base64. Raises ValueError."""
    raw = base64.b64decode(encoded, validate=True)
    if base64.b64encode(raw).decode() != encoded:
        raise ValueError("not canonical base64")
    return raw


def _decode_form(text: str) -> str:
    """Decode the form encoding of RFC 6749 2.3.1. A stray percent sign is an error."""
    if _STRAY_PERCENT.search(text):
        raise invalid_client("bad percent encoding")
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError as error:
        raise invalid_client("credentials are not UTF-8") from error


def _read_post(form: Form) -> Credentials | None:
    secret = form.get("client_secret")
    if secret is None:
        return None
    client_id = form.get("client_id")
    if client_id is None:
        raise invalid_client("client_secret without client_id")
    return Credentials("client_secret_post", client_id, secret=secret)


def _read_public(form: Form) -> list[Credentials]:
    """Return the client ID, the only credential of a public app (RFC 6749 3.2.1)."""
    client_id = form.get("client_id")
    return [] if client_id is None else [Credentials(names.AUTH_NONE, client_id)]


def _read_assertion(form: Form) -> Credentials | None:
    assertion, kind = form.get("client_assertion"), form.get("client_assertion_type")
    if assertion is None and kind is None:
        return None
    if assertion is None or kind != names.ASSERTION_TYPE:
        raise invalid_client("incomplete or unknown assertion")
    return Credentials("private_key_jwt", form.get("client_id"), assertion=assertion)


def _number(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
