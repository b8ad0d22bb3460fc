"""The device grant's codes and answers (RFC 8628).

Owns: the alphabet of user codes, how one is read from what somebody typed, the parameters of the
device authorization request, what a poll is told. Never: who the user is; that is services.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import errors, text
from server.protocol.forms import Form
from server.protocol.resources import scopes, uris

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants alone: no word comes out by chance, and no letter looks like a digit (6.1)."""
LENGTH: Final = 8
"""34 bits, which live for a quarter of an hour and can hardly be tried (5.1)."""
LIFETIME_MS: Final = 15 * 60 * 1000
INTERVAL_MS: Final = 5_000
_GROUP = 4
_UNNAMED: Final = "unnamed device"


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """The parameters of a device authorization request, checked."""

    name: str
    """What the device calls itself; shown to the person as its words."""


@dataclass(frozen=True, slots=True)
class AppRequest:
    """The parameters of an app's device authorization request, checked."""

    openid: tuple[str, ...]
    scope: tuple[str, ...]
    """Of a resource."""
    resource: str | None


def parse_app_request(form: Form) -> AppRequest:
    """Read the request of an app (RFC 8628 3.1, RFC 8707 2). Raises errors.ProtocolError."""
    _refuse_what_is_not_taken(form)
    openid, scope = scopes.split_asked(form.get("scope"))
    resources = form.every("resource")
    if len(resources) > 1:
        raise errors.InvalidTarget("Name one resource; a token has one audience.")
    return AppRequest(openid, scope, uris.check_resource(resources[0]) if resources else None)


def parse_request(form: Form) -> DeviceRequest:
    """Read the request of the terminal app (RFC 8628 3.1). Raises errors.ProtocolError."""
    no_scope(form)
    _refuse_what_is_not_taken(form)
    try:
        name = text.check_name(form.get("device_name") or _UNNAMED, what="device_name")
    except ValueError as error:
        raise errors.InvalidRequest(f"{error}.") from error
    return DeviceRequest(name)


def same_as_before(form: Form, scope: Sequence[str], resource: str) -> None:
    """What was asked for was settled when the device began; a poll asks for nothing else.

    Raises errors.InvalidScope or errors.InvalidTarget.
    """
    asked = form.get("scope")
    if asked is not None and set(scopes.parse(asked)) != set(scope):
        raise errors.InvalidScope("The scopes were named when the device began.")
    if form.every("resource") not in {(), (resource,)}:
        raise errors.InvalidTarget("The resource was named when the device began.")


def _refuse_what_is_not_taken(form: Form) -> None:
    if form.get("authorization_details") is not None:
        raise errors.InvalidAuthorizationDetails("The device grant asks for no actions.")
    if form.get("code_challenge") is not None:
        raise errors.InvalidRequest("code_challenge is not taken here; bind tokens by DPoP.")


def no_scope(form: Form) -> None:
    """Raises errors.InvalidScope for any scope: a terminal's session has none to choose."""
    if (asked := form.get("scope")) is not None:
        scopes.parse(asked)
        raise errors.InvalidScope("This client has no scopes.")


def shown(user_code: str) -> str:
    """The code as people read it: `BCDF-GHJK`."""
    return f"{user_code[:_GROUP]}-{user_code[_GROUP:]}"


def normalised(typed: str) -> str | None:
    """The code in what somebody typed, without case and punctuation; None if there is none."""
    letters = "".join(filter(str.isalnum, typed)).upper()
    fits = len(letters) == LENGTH and set(letters) <= set(ALPHABET)
    return letters if fits else None
