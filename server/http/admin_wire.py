"""What the administration API answers, as models. What it is sent is in `admin_bodies.py`."""

from typing import Literal

from pydantic import BaseModel

from server.http import log_wire, wire
from server.http.decider_wire import DecidedBy
from server.http.delivery_wire import DeliveredTo
from server.http.narrowing_wire import Granted
from server.http.outcome_wire import ToldExecution
from server.http.wire import Named

_RiskWord = Literal["low", "medium", "high", "critical"]


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


class ManagedDevice(BaseModel):
    """Somebody's device."""

    id: str
    name: str
    kind: str
    state: Literal["active", "revoked"]
    user: Named
    created_at: str
    last_seen_at: str | None
    high_from: str
    pin: wire.Pin


class ManagedDevices(BaseModel):
    """A part of the list of devices."""

    items: list[ManagedDevice]
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
    scopes: dict[str, _RiskWord]
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


class ManagedAction(BaseModel):
    """An action type and its file, as text."""

    id: str
    type: str
    revision: int
    document: str
    created_at: str
    version: str


class ManagedActions(BaseModel):
    """A part of the list of action types."""

    items: list[ManagedAction]
    next: str | None


class ManagedKey(BaseModel):
    """A signing key's public facts."""

    kid: str
    alg: str
    state: Literal["active", "retiring"]
    created_at: str
    retires_at: str | None


class ManagedKeys(BaseModel):
    """Every signing key, newest first."""

    items: list[ManagedKey]


class RotatedKey(BaseModel):
    """The key that signs from now on, and what became of the others."""

    key: ManagedKey
    retiring: list[str]
    dropped: list[str]


class RevokedKey(BaseModel):
    """A key that was taken away, and the one that signs in its place."""

    kid: str
    alg: str
    replaced_by: ManagedKey | None


class GivenAnswer(BaseModel):
    """A signed answer as it is kept."""

    decision: Literal["approve", "deny"]
    user: str
    device: str
    code: str | None
    note: str | None
    reason: str | None
    ceremony: str
    channel: str
    jws: str
    at: str


class ManagedApproval(BaseModel):
    """Somebody's request. If less was granted, the headline begins with what was granted."""

    id: str
    state: str
    reason: str | None
    risk: _RiskWord
    headline: str
    fingerprint: str
    agent: Named
    user: Named | None
    resource: str
    scope: list[str]
    created_at: str
    expires_at: str
    seen_at: str | None
    decided_at: str | None


class ManagedApprovals(BaseModel):
    """A part of the list of requests, newest first."""

    items: list[ManagedApproval]
    next: str | None


class ApprovalSheet(ManagedApproval):
    """A request with its texts, its answers and its entries."""

    action: str
    display: str
    action_digest: str
    display_digest: str
    decided_by: DecidedBy | None
    execution: ToldExecution | None
    granted: Granted | None
    decisions: list[GivenAnswer]
    devices: list[DeliveredTo]
    entries: list[log_wire.LogEntry]


class ManagedDelegation(BaseModel):
    """An issued token: who acts for whom, where, until when."""

    id: str
    state: Literal["live", "expired", "revoked"]
    client: Named
    user: Named | None
    resource: str
    scope: list[str]
    actors: list[Named]
    depth: int
    parent: str | None
    approval: str | None
    consent: str | None
    bound: bool
    issued_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


class ManagedDelegations(BaseModel):
    """A part of the ledger, newest first."""

    items: list[ManagedDelegation]
    next: str | None


class DelegationChain(BaseModel):
    """An issued token, what it came from (its parent first) and what came from it."""

    delegation: ManagedDelegation
    before: list[ManagedDelegation]
    after: list[ManagedDelegation]


class RevokedDelegation(BaseModel):
    """An issued token that was ended, and how many ended with it, itself included."""

    delegation: ManagedDelegation
    tokens_revoked: int


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
