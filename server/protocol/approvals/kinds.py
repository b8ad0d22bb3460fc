"""The reserved `authorization_details` objects of approvals that are not actions of an agent.

Owns: the reserved types and their members. Never: who may request them.

All kinds use the same form of action text. A consent or a device sign-in consists of one object of
a reserved type; an app action or a standing grant begins with such an object. Nobody can register
a reserved type, so a signature for one kind is never valid for another kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from server.protocol.json_text import JsonValue

RESERVED: Final = "sayso:"
"""The prefix of reserved types."""
CONSENT: Final = "sayso:consent"
DEVICE: Final = "sayso:device"
APP_DEVICE: Final = "sayso:app_device"
APP_ACTION: Final = "sayso:app_action"
STANDING_GRANT: Final = "sayso:standing_grant"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """The expiry of a consent (RFC 3339), and the app whose page asked for it."""

    until: str
    app: str | None


@dataclass(frozen=True, slots=True)
class DeviceTerms:
    """A device that wants to sign in: its key, name, network address and displayed code."""

    key: str
    """The RFC 7638 thumbprint of its session key."""
    name: str
    address: str
    code: str


@dataclass(frozen=True, slots=True)
class AppDeviceTerms:
    """An app that wants to sign in on a device: address, displayed code, and consent expiry."""

    address: str
    code: str
    until: str
    """RFC 3339 text."""


@dataclass(frozen=True, slots=True)
class StandingGrantTerms:
    """The bounds of a standing grant; its example follows them in the action text."""

    until: str
    """RFC 3339 text."""
    uses: int
    sum: Mapping[str, JsonValue] | None
    """Money: `minor` and `currency`."""
    vary: Sequence[JsonValue]
    """Members of the example that may differ, each with its `path` and `up_to`."""
    version: int | None
    """The version of the action type; None if there is no action type."""
    risk: str
    """The highest risk of a request that it covers."""
    notify: bool
    """Whether the user is notified of each use."""


def consent_details(terms: ConsentTerms) -> dict[str, str | None]:
    """Return the only object in the `authorization_details` of a consent."""
    return {"type": CONSENT, **asdict(terms)}


def device_details(terms: DeviceTerms) -> dict[str, str | None]:
    """Return the only object in the `authorization_details` of a device sign-in."""
    return {"type": DEVICE, **asdict(terms)}


def app_device_details(terms: AppDeviceTerms) -> dict[str, str | None]:
    """Return the only object in the `authorization_details` of an app's sign-in on a device."""
    return {"type": APP_DEVICE, **asdict(terms)}


def app_action_details(
    details: Sequence[Mapping[str, JsonValue]],
) -> tuple[Mapping[str, JsonValue], ...]:
    """Return the reserved object that marks an app action, followed by its details."""
    return ({"type": APP_ACTION}, *details)


def standing_grant_details(
    terms: StandingGrantTerms, example: Sequence[Mapping[str, JsonValue]]
) -> tuple[Mapping[str, JsonValue], ...]:
    """Return the bounds of a standing grant, followed by its example."""
    return ({"type": STANDING_GRANT, **asdict(terms)}, *example)


def resource_details(
    details: Sequence[Mapping[str, JsonValue]],
) -> tuple[Mapping[str, JsonValue], ...]:
    """Return the details that the resource gets: those without a reserved type."""
    return tuple(detail for detail in details if not str(detail["type"]).startswith(RESERVED))


def signed_end(details: Mapping[str, object]) -> int:
    """Return the signed expiry of a consent or grant, in milliseconds since the epoch."""
    moment = datetime.fromisoformat(str(details["until"]))
    return round(moment.astimezone(UTC).timestamp() * 1000)
