"""What the administration API answers, as models. What it is sent is in `admin_bodies.py`."""

from typing import Literal

from pydantic import BaseModel

from server.http.devices.device_wire import ManagedDevice
from server.http.wire import Named, RiskWord


class ManagedUser(BaseModel):
    """A person as the administration sees them."""

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
    """A part of the list of people."""

    items: list[ManagedUser]
    next: str | None


class UserSheet(ManagedUser):
    """A person with their devices."""

    devices: list[ManagedDevice]


class EnrolmentCode(BaseModel):
    """A one-time code, told once."""

    user: ManagedUser
    enrolment_code: str
    expires_at: str


class StoppedUser(BaseModel):
    """What ended with a person."""

    user: ManagedUser
    tokens_revoked: int
    requests_cancelled: int


class StoppedAgent(BaseModel):
    """What ended with an agent, or what would."""

    client_id: str
    state: Literal["enabled", "quarantined", "disabled"]
    tokens_revoked: int
    descendants_revoked: int
    requests_cancelled: int
    approved_cancelled: int


class ClientSecret(BaseModel):
    """What is known of a secret after it was told."""

    id: str
    hint: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class ManagedAgent(BaseModel):
    """An agent as the administration and its owners see it."""

    client_id: str
    name: str
    description: str
    state: Literal["enabled", "quarantined", "disabled"]
    owners: list[Named]
    auth_method: str
    auth_before: str | None
    auth_before_until: str | None
    grant_types: list[str]
    delivery: str
    backchannel_client_notification_endpoint: str | None
    backchannel_user_code_parameter: bool
    high_grants: bool
    interactive: bool
    resources: list[str]
    scopes: list[str]
    only: dict[str, list[str]]
    serves: list[str]
    labels: list[str]
    external_id: str | None
    review_at: str | None
    icon: str | None
    token_seconds: int | None
    action_types: list[str] | None
    asks: list[Named] | None
    id_token_signed_response_alg: str
    dpop_bound_access_tokens: bool
    backchannel_authentication_request_signing_alg: str | None
    secrets: list[ClientSecret]
    keys: list[dict[str, str]]
    key_uses: dict[str, str | None]
    expires_at: str | None
    created_at: str
    named_at: str
    version: str


class Pause(BaseModel):
    """What it may not ask a person for who denied it repeatedly; null stands for scopes alone."""

    user: Named
    type: str | None
    until: str


class AgentSheet(ManagedAgent):
    """An agent with its pauses, and when it is quarantined because nobody answers for it."""

    pauses: list[Pause]
    quarantine_at: str | None


class ManagedAgents(BaseModel):
    """A part of the list of agents."""

    items: list[ManagedAgent]
    next: str | None


class GivenSecret(BaseModel):
    """An agent with a secret that is told once; null where it has keys."""

    agent: ManagedAgent
    client_secret: str | None


class ManagedResource(BaseModel):
    """A protected API."""

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
    """A part of the list of protected APIs."""

    items: list[ManagedResource]
    next: str | None


class GivenResourceSecret(BaseModel):
    """A protected API with a secret that is told once."""

    resource: ManagedResource
    client_secret: str


class DeletedResource(BaseModel):
    """What ended with a protected API."""

    uri: str
    tokens_revoked: int
    requests_cancelled: int
    agents_narrowed: list[str]
    apps_narrowed: list[str]


class ManagedInvitation(BaseModel):
    """A right to register agents."""

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
    """A part of the list of invitations."""

    items: list[ManagedInvitation]
    next: str | None


class GivenInvitation(BaseModel):
    """An invitation with its token, told once."""

    invitation: ManagedInvitation
    initial_access_token: str
