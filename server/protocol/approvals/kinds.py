"""What approvals that are no agent's action put into the action text, so that it is signed too.

Owns: the reserved types of `authorization_details`, their members. Never: who may ask for one.

The action text has one form for every kind. A consent, a sign-in of a device and one of an app on
a device each are one object of a type that nobody can register, and what an app asks for, or what
a standing grant is like, stands after one, so a signature for one kind never passes for another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from server.protocol.json_text import JsonValue

RESERVED: Final = "sayso:"
"""Types that begin with this are ours alone."""
CONSENT: Final = "sayso:consent"
DEVICE: Final = "sayso:device"
APP_DEVICE: Final = "sayso:app_device"
APP_ACTION: Final = "sayso:app_action"
STANDING_GRANT: Final = "sayso:standing_grant"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """Until when a consent lasts, as RFC 3339 text, and the app whose page asked for it."""

    until: str
    app: str | None


@dataclass(frozen=True, slots=True)
class DeviceTerms:
    """The device that wants to sign in: its key, its name, from where, and the code it shows."""

    key: str
    """The RFC 7638 thumbprint of its session key."""
    name: str
    address: str
    code: str


@dataclass(frozen=True, slots=True)
class AppDeviceTerms:
    """An app on a device: from where it asks, the code it shows, until when its consent lasts."""

    address: str
    code: str
    until: str
    """RFC 3339 text."""


@dataclass(frozen=True, slots=True)
class StandingGrantTerms:
    """What bounds a standing grant; the example that it was made from stands after them."""

    until: str
    """RFC 3339 text."""
    uses: int
    sum: Mapping[str, JsonValue] | None
    """Money: `minor` and `currency`."""
    vary: Sequence[JsonValue]
    """Members of the example that need not be equal, each with its `path` and `up_to`."""
    version: int | None
    """Of the action type; None without one."""
    risk: str
    """The highest risk of a request that it covers."""
    tell: bool
    """Each use is told."""


def consent_details(terms: ConsentTerms) -> dict[str, str | None]:
    """The one object of a consent's `authorization_details`."""
    return {"type": CONSENT, "until": terms.until, "app": terms.app}


def device_details(terms: DeviceTerms) -> dict[str, str | None]:
    """The one object of a device sign-in's `authorization_details`."""
    return {
        "type": DEVICE,
        "key": terms.key,
        "name": terms.name,
        "address": terms.address,
        "code": terms.code,
    }


def app_device_details(terms: AppDeviceTerms) -> dict[str, str | None]:
    """The one object of the `authorization_details` of an app's sign-in on a device."""
    return {
        "type": APP_DEVICE,
        "address": terms.address,
        "code": terms.code,
        "until": terms.until,
    }


def app_action_details(
    details: Sequence[Mapping[str, JsonValue]],
) -> tuple[Mapping[str, JsonValue], ...]:
    """What an app asks for, after the object that says that it is an app's."""
    return ({"type": APP_ACTION}, *details)


def standing_grant_details(
    terms: StandingGrantTerms, example: Sequence[Mapping[str, JsonValue]]
) -> tuple[Mapping[str, JsonValue], ...]:
    """The bounds of a standing grant, and after them what a request must be like."""
    bounds: dict[str, JsonValue] = {
        "type": STANDING_GRANT,
        "until": terms.until,
        "uses": terms.uses,
        "sum": None if terms.sum is None else dict(terms.sum),
        "vary": list(terms.vary),
        "version": terms.version,
        "risk": terms.risk,
        "tell": terms.tell,
    }
    return (bounds, *example)


def granted(
    details: Sequence[Mapping[str, JsonValue]],
) -> tuple[Mapping[str, JsonValue], ...]:
    """What of the details of an approval is for the resource: all but what is ours."""
    return tuple(one for one in details if not str(one["type"]).startswith(RESERVED))


def until(details: Mapping[str, object]) -> int:
    """The end of a consent or grant in milliseconds since the epoch, read from what was signed."""
    moment = datetime.fromisoformat(str(details["until"]))
    return round(moment.astimezone(UTC).timestamp() * 1000)
