"""Devices as JSON."""

from typing import Literal

from pydantic import BaseModel, Field

from server.http.oauth_wire import OauthAnswer
from server.http.wire import Listed, RecordResponse, Reference, StrictBody, Time
from server.model.devices import MAX_ATTEMPTS
from server.model.devices import Device as DeviceRecord
from server.model.users import User as UserRecord
from server.protocol import base64url
from server.services.devices.devices import MAX_UNCONFIRMED, PinAnswer

_THIRTY_TWO_BYTES = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
"""Canonical base64url (RFC 4648 3.5)."""

_PIN_PURPOSE = r"^(session|sayso_(ap|dv)_[a-z2-7]{16}|[A-Za-z0-9_-]{43})$"


class ApprovalKeys(StrictBody):
    """The public halves of a device's two approval keys (JWK, EC P-256)."""

    low: dict[str, str]
    high: dict[str, str]


class NewDevice(StrictBody):
    """A terminal to register."""

    name: str = Field(min_length=1, max_length=64)
    approval_keys: ApprovalKeys


class PinInput(StrictBody):
    """The device's share of a PIN, and the purpose."""

    x: str = Field(pattern=_THIRTY_TWO_BYTES)
    purpose: str = Field(alias="for", pattern=_PIN_PURPOSE)

    def raw(self) -> bytes:
        """Return the 32 bytes."""
        return base64url.decode(self.x)


class DeviceName(StrictBody):
    """The new name of a device."""

    name: str = Field(max_length=256)


class OwnDeviceLink(RecordResponse):
    """A one-time code to enroll another device, shown once, and the enrollment link."""

    enrollment_code: str
    link: str
    expires_at: Time


class Pin(BaseModel):
    """The number of PIN attempts since the last correct PIN."""

    tries: int
    left: int
    locked: bool
    exhausted: bool


class _DeviceMembers(RecordResponse):
    id: str
    name: str
    kind: str
    state: Literal["active", "revoked"]
    created_at: Time
    last_seen_at: Time | None
    high_from: Time
    keys: dict[str, str]
    pin: Pin


class Device(_DeviceMembers):
    """A device of a person."""

    this: bool
    nonce: str | None


class Devices(BaseModel):
    """The devices of a person."""

    items: list[Device]


class PinResult(RecordResponse):
    """The server's share of a PIN."""

    y: str
    nonce: str
    tries: int
    left: int


class PinConfirmation(BaseModel):
    """The attempt counter after it was reset."""

    tries: int


class ManagedDevice(_DeviceMembers):
    """A device, as administrators see it."""

    user: Reference


class ManagedDevices(Listed[ManagedDevice]):
    """A page of the list of devices."""


def device(record: DeviceRecord, *, this: bool, nonce: str | None) -> Device:
    """Return a device as JSON."""
    return Device.of(record, keys=record.kids, pin=pin(record), this=this, nonce=nonce)


def pin(record: DeviceRecord) -> Pin:
    """Return the state of a device's PIN as JSON."""
    return Pin(
        tries=record.pin_tries,
        left=max(0, MAX_ATTEMPTS - record.pin_tries),
        locked=record.pin_tries >= MAX_ATTEMPTS,
        exhausted=record.pin_unconfirmed >= MAX_UNCONFIRMED,
    )


def pin_result(answer: PinAnswer) -> PinResult:
    """Return the server's share of a PIN as JSON."""
    attempts_left = max(0, MAX_ATTEMPTS - answer.tries)
    return PinResult.of(answer, y=base64url.encode(answer.y), left=attempts_left)


def managed_device(record: DeviceRecord, user: UserRecord | None) -> ManagedDevice:
    """Return a user's device as JSON."""
    owner = Reference(id=record.user_id, name=user.name if user else record.user_id)
    return ManagedDevice.of(record, keys=record.kids, pin=pin(record), user=owner)


class DeviceAuthorization(OauthAnswer):
    """The codes, and the address to enter the user code at (RFC 8628 3.2)."""

    device_code: str = Field(min_length=22)
    user_code: str = Field(pattern=r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$")
    verification_uri: str
    verification_uri_complete: str
    expires_in: int = Field(gt=0)
    interval: int = Field(default=5, gt=0)
