"""Endpoints to administer agents, for administrators and owners."""

import json

from server.http import listing
from server.http.audit import audit
from server.http.audit.audit_wire import LogEntries
from server.http.clients import agent_wire as wire
from server.http.members import filters, search_names, submitted_members
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed
from server.http.wire import Rotation
from server.model.audit import EntrySearch
from server.model.clients import Agent
from server.services.clients.agent_auth import AuthChange
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.agents import DisabledAgent, NewSecret
from server.services.operations.administration import AdminServices
from server.services.operations.authority import Role

_OWNER = (Role.ADMIN, Role.OWNER)


def _disable_result(disabled_agent: DisabledAgent) -> wire.DisableAgentResult:
    return wire.DisableAgentResult(
        client_id=disabled_agent.agent.id, state=disabled_agent.agent.state, **disabled_agent.counts
    )


@managed(
    "GET /api/agents",
    query=(*listing.QUERY, *search_names(AGENT_MEMBERS), "search"),
    roles=STAFF_AND_OWNERS,
)
def list_agents(request: HttpRequest, admin: AdminServices) -> wire.ManagedAgents:
    """List agents. `search` is part of a name, or a filter's value. Owners get only their own."""
    part = admin.agents.page(
        listing.cursor(request),
        listing.limit(request),
        owner=admin.owner_id,
        having=filters(AGENT_MEMBERS, request.query),
        search=request.query.get("search", ""),
    )
    names_by_id = admin.names(_people(*part.items))
    return listing.page(wire.ManagedAgents, part, lambda agent: wire.document(agent, names_by_id))


@managed("POST /api/agents", status=201, signed=True)
def add(admin: AdminServices, body: wire.NewAgent) -> wire.AgentWithSecret:
    """Register an agent. Its secret is shown once."""
    new = NewAgent(**submitted_members(AGENT_MEMBERS, body))
    issued = admin.agents.add(new, by=admin.by)
    return _with_secret(admin, issued)


@managed("GET /api/agents/<id>", roles=STAFF_AND_OWNERS)
def show(admin: AdminServices, record_id: str) -> wire.AgentDetails:
    """Get one agent with its permissions, owners, secrets, keys and pauses."""
    agent, _ = admin.agents.show(record_id)
    return wire.details(
        agent,
        admin.names(_people(agent)),
        admin.pauses.of_agent(agent.id),
        admin.orphans.grace_end(agent.id),
    )


@managed("PATCH /api/agents/<id>", roles=_OWNER, versioned=True)
def update(admin: AdminServices, record_id: str, body: wire.AgentChanges) -> wire.ManagedAgent:
    """Change an agent. An owner can narrow it."""
    changes = AgentChanges(
        add_owners=body.add_owners,
        remove_owners=body.remove_owners,
        **submitted_members(AGENT_MEMBERS, body),
    )
    agent = admin.agents.update(record_id, changes, by=admin.by)
    return _document(admin, agent)


@managed("DELETE /api/agents/<id>")
def delete(admin: AdminServices, record_id: str) -> None:
    """Disable and delete an agent."""
    admin.agents.delete(record_id, by=admin.by)


@managed("GET /api/agents/<id>/disable", roles=STAFF_AND_OWNERS)
def preview(admin: AdminServices, record_id: str) -> wire.DisableAgentResult:
    """Count the tokens and requests that disabling this agent would end."""
    return _disable_result(admin.agents.preview(record_id))


@managed("POST /api/agents/<id>/disable", roles=_OWNER)
def disable(admin: AdminServices, record_id: str) -> wire.DisableAgentResult:
    """Disable an agent: revoke its tokens and those derived from them, and end its requests."""
    disabled_agent = admin.agents.disable(record_id, by=admin.by)
    return _disable_result(disabled_agent)


@managed("POST /api/agents/<id>/enable")
def enable(admin: AdminServices, record_id: str) -> wire.ManagedAgent:
    """Enable a disabled or quarantined agent."""
    agent = admin.agents.enable(record_id, by=admin.by)
    return _document(admin, agent)


@managed("POST /api/agents/<id>/secret", roles=_OWNER)
def rotate(admin: AdminServices, record_id: str, body: Rotation) -> wire.AgentWithSecret:
    """Create a new secret, shown once. The old one works for the overlap."""
    issued = admin.agents.rotate_secret(record_id, by=admin.by, overlap_ms=body.overlap * 1000)
    return _with_secret(admin, issued)


@managed("POST /api/agents/<id>/auth", signed=True)
def change_auth(
    admin: AdminServices, record_id: str, body: wire.AuthChange
) -> wire.AgentWithSecret:
    """Change how an agent authenticates. A new secret is shown once."""
    keys = "" if body.jwks is None else json.dumps(body.jwks)
    auth_change = AuthChange(body.method, keys, body.overlap * 1000)
    issued = admin.agent_auth.change(record_id, auth_change, by=admin.by)
    return _with_secret(admin, issued)


@managed("GET /api/agents/<id>/audit", query=listing.QUERY, roles=STAFF_AND_OWNERS)
def entries(request: HttpRequest, admin: AdminServices, record_id: str) -> LogEntries:
    """List the audit entries of an agent, newest first."""
    return audit.answer(request, admin, EntrySearch(agent_id=record_id))


def _with_secret(admin: AdminServices, issued: NewSecret) -> wire.AgentWithSecret:
    sample = admin.samples.for_agent(issued.agent)
    return wire.AgentWithSecret(
        agent=_document(admin, issued.agent),
        client_secret=issued.secret or None,
        sample_request=wire.SampleRequest(
            login_hint=admin.samples.user(issued.agent),
            resource=sample.resource,
            scope=sample.scope,
            authorization_details=[dict(detail) for detail in sample.details],
        ),
    )


def _document(admin: AdminServices, agent: Agent) -> wire.ManagedAgent:
    return wire.document(agent, admin.names(_people(agent)))


def _people(*agents: Agent) -> set[str]:
    return {user_id for agent in agents for user_id in (*agent.owners, *(agent.asks or ()))}
