"""Users as JSON."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from server.http import members
from server.http.devices.device_wire import Device, ManagedDevice, managed_device
from server.http.members import answer_fields, change_fields, new_fields, with_fields
from server.http.wire import Listed, RecordResponse, StrictBody, Time
from server.model.devices import Device as DeviceRecord
from server.model.users import User as UserRecord
from server.services.operations import power
from server.services.users.enrollment_codes import IssuedCode
from server.services.users.user_members import USER_MEMBERS


@with_fields(new_fields(USER_MEMBERS))
class NewUser(StrictBody):
    """A user to add."""


@with_fields(change_fields(USER_MEMBERS))
class UserChanges(StrictBody):
    """The fields to change. Omitted fields keep their value. Null removes the email or backup."""


class User(RecordResponse):
    """A user."""

    id: str
    name: str
    email: str | None
    roles: list[str]


class Me(BaseModel):
    """The current user and device."""

    user: User
    device: Device | None
    server_time: str


@with_fields(answer_fields(USER_MEMBERS))
class ManagedUser(RecordResponse):
    """A user, as administrators see them."""

    id: str
    state: Literal["enabled", "disabled"]
    created_at: Time
    disabled_at: Time | None
    version: str


class ManagedUsers(Listed[ManagedUser]):
    """A page of the list of users."""


class UserDetails(ManagedUser):
    """A user with their devices."""

    devices: list[ManagedDevice]


class EnrollmentCode(RecordResponse):
    """A one-time code for enrolling a device, which is shown once."""

    user: ManagedUser
    enrollment_code: str
    expires_at: Time


class DisableUserResult(RecordResponse):
    """What was revoked with a user."""

    user: ManagedUser
    tokens_revoked: int
    requests_cancelled: int


def managed_user(record: UserRecord) -> ManagedUser:
    """Return a user as JSON, for administrators."""
    return ManagedUser.of(
        record,
        version=power.version(record),
        **members.response_members(USER_MEMBERS, record),
    )


def user_details(record: UserRecord, devices: Iterable[DeviceRecord]) -> UserDetails:
    """Return a user and their devices as JSON."""
    return UserDetails.of(
        managed_user(record), devices=[managed_device(device, record) for device in devices]
    )


def code(record: UserRecord, issued: IssuedCode) -> EnrollmentCode:
    """Return a new code as JSON."""
    return EnrollmentCode.of(issued, user=managed_user(record), enrollment_code=issued.code)
