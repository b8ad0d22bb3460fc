"""Endpoints to administer agents, for administrators and owners."""

import json
from typing import Final

from server.http import listing
from server.http.audit import audit
from server.http.audit.audit_wire import LogEntries
from server.http.clients import agent_wire as wire
from server.http.clients import invitations, kill_switch
from server.http.incidents import orphans
from server.http.incidents.incidents import INCIDENT_ROUTES
from server.http.members import having, search_names, written
from server.http.operations import statistics
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.wire import Reference, Rotation, moment
from server.model.audit import EntrySearch
from server.model.clients import Agent
from server.services.clients.agent_auth import AuthChange
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.operations.administration import AdminServices
from server.services.operations.authority import Role
from server.services.policy.displays import rfc3339


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAgents:
    """GET /api/agents: all agents, or those that the caller owns."""
    where, limit = listing.cursor(request), listing.limit(request)
    narrowed = having(AGENT_MEMBERS, request.query)
    part = admin.agents.page(where, limit, owner=admin.only_of, having=narrowed)
    called = admin.names(_people(*part.items))
    return listing.page(wire.ManagedAgents, part, lambda agent: wire.document(agent, called))


def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewAgent
) -> wire.AgentWithSecret:
    """POST /api/agents."""
    new = NewAgent(**written(AGENT_MEMBERS, body))
    given = admin.agents.add(new, by=admin.by)
    return wire.AgentWithSecret(
        agent=_document(admin, given.agent), client_secret=given.secret or None
    )


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.AgentDetails:
    """GET /api/agents/<id>."""
    agent, _ = admin.agents.show(request.params["id"])
    document = _document(admin, agent)
    return wire.AgentDetails(
        **document.model_dump(),
        pauses=_pauses(admin, agent),
        quarantine_at=moment(admin.orphans.grace_end(agent.id)),
    )


def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.AgentChanges
) -> wire.ManagedAgent:
    """PATCH /api/agents/<id>."""
    changes = AgentChanges(
        add_owners=body.add_owners, remove_owners=body.remove_owners, **written(AGENT_MEMBERS, body)
    )
    agent = admin.agents.update(request.params["id"], changes, by=admin.by)
    return _document(admin, agent)


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """DELETE /api/agents/<id>."""
    admin.agents.delete(request.params["id"], by=admin.by)


def enable(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAgent:
    """POST /api/agents/<id>/enable."""
    agent = admin.agents.enable(request.params["id"], by=admin.by)
    return _document(admin, agent)


def rotate(
    _site: Site, request: HttpRequest, admin: AdminServices, body: Rotation
) -> wire.AgentWithSecret:
    """POST /api/agents/<id>/secret."""
    given = admin.agents.rotate_secret(
        request.params["id"], by=admin.by, overlap_ms=body.overlap * 1000
    )
    return wire.AgentWithSecret(agent=_document(admin, given.agent), client_secret=given.secret)


def change_auth(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.AuthChange
) -> wire.AgentWithSecret:
    """POST /api/agents/<id>/auth."""
    keys = "" if body.jwks is None else json.dumps(body.jwks)
    wanted = AuthChange(body.method, keys, body.overlap * 1000)
    given = admin.agent_auth.change(request.params["id"], wanted, by=admin.by)
    return wire.AgentWithSecret(
        agent=_document(admin, given.agent), client_secret=given.secret or None
    )


def entries(_site: Site, request: HttpRequest, admin: AdminServices) -> LogEntries:
    """GET /api/agents/<id>/audit: the agent's audit entries, newest first."""
    return audit.answer(request, admin, EntrySearch(agent_id=request.params["id"]))


def _pauses(admin: AdminServices, agent: Agent) -> list[wire.Pause]:
    return [
        wire.Pause(
            user=Reference(id=one.user_id, name=one.user_name),
            type=one.type or None,
            until=rfc3339(one.until),
        )
        for one in admin.pauses.of_agent(agent.id)
    ]


def _document(admin: AdminServices, agent: Agent) -> wire.ManagedAgent:
    return wire.document(agent, admin.names(_people(agent)))


def _people(*agents: Agent) -> set[str]:
    return {user_id for agent in agents for user_id in (*agent.owners, *(agent.asks or ()))}


_OWNER = (Role.ADMIN, Role.OWNER)
_ALL = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

AGENT_ROUTES: Final = (
    managed(
        "GET /api/agents",
        listed,
        "List agents by name. Without a role, your own.",
        query=(*listing.QUERY, *search_names(AGENT_MEMBERS)),
        roles=_ALL,
    ),
    managed(
        "POST /api/agents",
        add,
        "Register an agent. Its secret is shown once.",
        status=201,
        signed=True,
    ),
    managed(
        "GET /api/agents/<id>",
        show,
        "Get one agent with its permissions, owners, secrets, keys and pauses.",
        roles=_ALL,
    ),
    managed(
        "PATCH /api/agents/<id>",
        update,
        "Change an agent. An owner can narrow it.",
        roles=_OWNER,
        versioned=True,
    ),
    managed("DELETE /api/agents/<id>", delete, "Disable and delete an agent."),
    managed(
        "GET /api/agents/<id>/disable",
        kill_switch.preview,
        "Count what disabling this agent would end.",
        roles=_ALL,
    ),
    managed(
        "POST /api/agents/<id>/disable",
        kill_switch.disable,
        "Disable an agent: revoke its tokens and those derived from them, and end its requests.",
        roles=_OWNER,
    ),
    managed("POST /api/agents/<id>/enable", enable, "Enable a disabled or quarantined agent."),
    managed(
        "POST /api/agents/<id>/secret",
        rotate,
        "Create a new secret, shown once. The old one works for the overlap.",
        roles=_OWNER,
    ),
    managed(
        "POST /api/agents/<id>/auth",
        change_auth,
        "Change how an agent authenticates. A new secret is shown once.",
        signed=True,
    ),
    managed(
        "GET /api/agents/<id>/audit",
        entries,
        "List the audit entries of an agent, newest first.",
        query=listing.QUERY,
        roles=_ALL,
    ),
    managed(
        "GET /api/agents/<id>/statistics",
        statistics.of_agent,
        "Get statistics of an agent's requests.",
        query=("days",),
        roles=_ALL,
    ),
    managed(
        "GET /api/admin/orphans",
        orphans.listed,
        "List orphaned agents and those to review. Without a role, your own.",
        query=listing.QUERY,
        roles=_ALL,
    ),
    managed(
        "GET /api/invitations",
        invitations.listed,
        "List invitations for agents.",
        query=listing.QUERY,
    ),
    managed(
        "POST /api/invitations",
        invitations.issue,
        "Create an invitation. The token is shown once.",
        status=201,
        signed=True,
    ),
    managed(
        "DELETE /api/invitations/<id>",
        invitations.revoke,
        "Revoke an invitation. The agents that used it stay.",
    ),
    *INCIDENT_ROUTES,
)
