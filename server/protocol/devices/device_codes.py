"""The codes and requests of the device grant (RFC 8628).

Owns: the alphabet of user codes, how a typed code is read, and the parameters of the device
authorization request. Never: who the user is (services).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import errors, text
from server.protocol.forms import Form
from server.protocol.resources import scopes, uris

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants only, so that no code is a word, and no letter looks like a digit (6.1)."""
LENGTH: Final = 8
"""34 bits, valid for 15 minutes with limited attempts (5.1)."""
LIFETIME_MS: Final = 15 * 60 * 1000
INTERVAL_MS: Final = 5_000
_GROUP_LENGTH = 4
_DEFAULT_NAME: Final = "unnamed device"


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """The parameters of the terminal app's device authorization request."""

    name: str
    """The name that the device reports; it is shown to the person as unverified."""


@dataclass(frozen=True, slots=True)
class AppRequest:
    """The parameters of an app's device authorization request."""

    openid: tuple[str, ...]
    scope: tuple[str, ...]
    """Scopes of a resource."""
    resource: str | None


def parse_app_request(form: Form) -> AppRequest:
    """Parse the request of an app (RFC 8628 3.1, RFC 8707 2). Raises errors.ProtocolError."""
    _refuse_unsupported(form)
    openid, scope = scopes.split_requested(form.get("scope"))
    return AppRequest(openid, scope, uris.only_resource(form.every("resource")))


def parse_request(form: Form) -> DeviceRequest:
    """Parse the request of the terminal app (RFC 8628 3.1). Raises errors.ProtocolError."""
    refuse_scope(form)
    _refuse_unsupported(form)
    try:
        name = text.check_device_name(form.get("device_name") or _DEFAULT_NAME, what="device_name")
    except ValueError as error:
        raise errors.InvalidRequest(f"{error}.") from error
    return DeviceRequest(name)


def check_unchanged(form: Form, scope: Sequence[str], resource: str) -> None:
    """Check that a poll requests the same access as the device authorization request.

    Raises errors.InvalidScope or errors.InvalidTarget.
    """
    requested_scope = form.get("scope")
    if requested_scope is not None and set(scopes.parse(requested_scope)) != set(scope):
        raise errors.InvalidScope("scope differs from the device authorization request.")
    if not uris.may_name(uris.only_resource(form.every("resource")), resource):
        raise errors.InvalidTarget("resource differs from the device authorization request.")


def _refuse_unsupported(form: Form) -> None:
    if form.get("authorization_details") is not None:
        raise errors.InvalidAuthorizationDetails(
            "The device grant does not support authorization_details."
        )
    if form.get("code_challenge") is not None:
        raise errors.InvalidRequest("code_challenge is not supported here. Use DPoP.")


def refuse_scope(form: Form) -> None:
    """Raise errors.InvalidScope for any scope, because a terminal's session has none."""
    if (requested_scope := form.get("scope")) is not None:
        scopes.parse(requested_scope)
        raise errors.InvalidScope("This client has no scopes.")


def format_code(user_code: str) -> str:
    """Return a code in the form for people: `BCDF-GHJK`."""
    return f"{user_code[:_GROUP_LENGTH]}-{user_code[_GROUP_LENGTH:]}"


def normalize_code(typed: str) -> str | None:
    """Return a typed code in upper case without punctuation, or None if it is not a code."""
    letters = "".join(filter(str.isalnum, typed)).upper()
    is_code = len(letters) == LENGTH and set(letters) <= set(ALPHABET)
    return letters if is_code else None
