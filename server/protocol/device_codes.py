"""The device grant's codes and answers (RFC 8628).

Owns: the alphabet of user codes, how one is read from what somebody typed, the parameters of the
device authorization request, what a poll is told. Never: who the user is; that is services.
"""

from dataclasses import dataclass
from typing import Final

from server.protocol import errors, scopes, text
from server.protocol.forms import Form

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


def parse_request(form: Form) -> DeviceRequest:
    """Read the request of the terminal app (RFC 8628 3.1). Raises errors.ProtocolError."""
    no_scope(form)
    if form.get("authorization_details") is not None:
        raise errors.InvalidAuthorizationDetails("Only agents ask for actions.")
    if form.get("code_challenge") is not None:
        raise errors.InvalidRequest("code_challenge is not taken here; the DPoP proof binds.")
    try:
        name = text.check_name(form.get("device_name") or _UNNAMED, what="device_name")
    except ValueError as error:
        raise errors.InvalidRequest(f"{error}.") from error
    return DeviceRequest(name)


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
