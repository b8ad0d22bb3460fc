"""What the administration API answers, as models. What it is sent is in `admin_bodies.py`."""

from typing import Literal

from pydantic import BaseModel

from server.http.devices.device_wire import ManagedDevice
from server.http.wire import Named, RiskWord


class ManagedUser(BaseModel):
    """A user."""

    id: str
    name: str
    email: str | None
    roles: list[str]
    state: Literal["enabled", "disabled"]
    backup: str | None
    created_at: str
    disabled_at: str | None
    version: str


class ManagedUsers(BaseModel):
    """A page of the list of users."""

    items: list[ManagedUser]
    next: str | None


class UserSheet(ManagedUser):
    """A user with their devices."""

    devices: list[ManagedDevice]


class EnrolmentCode(BaseModel):
    """A one-time code, shown once."""

    user: ManagedUser
    enrolment_code: str
    expires_at: str


class StoppedUser(BaseModel):
    """What ended with a user."""

    user: ManagedUser
    tokens_revoked: int
    requests_cancelled: int


class ClientSecret(BaseModel):
    """A secret of an app, without the secret itself."""

    id: str
    hint: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class ManagedResource(BaseModel):
    """A resource."""

    id: str
    uri: str
    scopes: dict[str, RiskWord]
    requires: dict[str, str]
    token_seconds: int | None
    client_id: str
    secrets: list[ClientSecret]
    created_at: str
    version: str


class ManagedResources(BaseModel):
    """A page of the list of resources."""

    items: list[ManagedResource]
    next: str | None


class GivenResourceSecret(BaseModel):
    """A resource with its secret, shown once."""

    resource: ManagedResource
    client_secret: str


class DeletedResource(BaseModel):
    """What ended with a resource."""

    uri: str
    tokens_revoked: int
    requests_cancelled: int
    agents_narrowed: list[str]
    apps_narrowed: list[str]


class ManagedInvitation(BaseModel):
    """An invitation for agents."""

    id: str
    owner: Named
    grant_types: list[str]
    resources: list[str]
    scopes: list[str]
    action_types: list[str] | None
    asks: list[Named] | None
    uses_left: int
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None


class ManagedInvitations(BaseModel):
    """A page of the list of invitations."""

    items: list[ManagedInvitation]
    next: str | None


class GivenInvitation(BaseModel):
    """An invitation with its token, shown once."""

    invitation: ManagedInvitation
    initial_access_token: str
