"""Agents in the administration API, as JSON."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http import members
from server.http.members import answer_fields, change_fields, new_fields, with_fields
from server.http.wire import (
    ClientSecret,
    Listed,
    Names,
    RecordResponse,
    Reference,
    StrictBody,
    Text,
    Time,
)
from server.model.clients import Agent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.notifications.request_limits import Pause as PauseRecord
from server.services.operations import power


class AuthChange(StrictBody):
    """The new authentication method and keys, and how long the old method keeps working."""

    method: Text
    jwks: dict[str, Any] | None = None
    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


@with_fields(new_fields(AGENT_MEMBERS))
class NewAgent(StrictBody):
    """An agent to register. Owners and `asks` are names, email addresses or IDs."""


@with_fields(change_fields(AGENT_MEMBERS))
class AgentChanges(StrictBody):
    """Fields to change. Omitted fields keep their value.

    Null lets the agent ask everyone, use every action type, never expire, send unsigned requests,
    have no review date, external ID or icon, or use the default token lifetime.
    """

    add_owners: Names = Field(default=[])
    remove_owners: Names = Field(default=[])


class DisableAgentResult(BaseModel):
    """What was revoked with an agent, or would be revoked."""

    client_id: str
    state: Literal["enabled", "quarantined", "disabled"]
    tokens_revoked: int
    descendants_revoked: int
    requests_cancelled: int
    approved_cancelled: int


@with_fields(answer_fields(AGENT_MEMBERS))
class ManagedAgent(RecordResponse):
    """An agent, as administrators and its owners see it."""

    client_id: str
    state: Literal["enabled", "quarantined", "disabled"]
    auth_before: str | None
    auth_before_until: Time | None
    secrets: list[ClientSecret]
    keys: list[dict[str, str]]
    key_uses: dict[str, Time | None]
    created_at: Time
    named_at: Time
    version: str


class Pause(RecordResponse):
    """A pause after repeated denials. The agent cannot request `type`; null means scopes."""

    user: Reference
    type: str | None
    until: Time


class AgentDetails(ManagedAgent):
    """An agent with its pauses, and the time when it is quarantined unless it gets an owner."""

    pauses: list[Pause]
    quarantine_at: Time | None


class ManagedAgents(Listed[ManagedAgent]):
    """A page of the list of agents."""


class SampleRequest(BaseModel):
    """A first request to `/bc-authorize`, with example details if its scope requires an action."""

    login_hint: str
    resource: str | None
    scope: str
    authorization_details: list[dict[str, Any]]


class AgentWithSecret(BaseModel):
    """An agent with its secret, which is shown once. The secret is null if the agent uses keys."""

    agent: ManagedAgent
    client_secret: str | None
    sample_request: SampleRequest


def details(
    record: Agent,
    names_by_id: members.NamesById,
    pauses: Iterable[PauseRecord],
    quarantine_at: int | None,
) -> AgentDetails:
    """Return an agent with its pauses as JSON."""
    return AgentDetails.of(
        document(record, names_by_id),
        pauses=[
            Pause.of(
                pause,
                user=Reference(id=pause.user_id, name=pause.user_name),
                type=pause.type or None,
            )
            for pause in pauses
        ],
        quarantine_at=quarantine_at,
    )


def document(record: Agent, names_by_id: members.NamesById) -> ManagedAgent:
    """Return an agent as JSON; `names_by_id` maps the IDs of people to names."""
    return ManagedAgent.of(
        record,
        client_id=record.id,
        keys=record.jwks,
        key_uses={key["kid"]: record.key_uses.get(key["kid"]) for key in record.jwks},
        version=power.version(record),
        **members.response_members(AGENT_MEMBERS, record, names_by_id),
    )
