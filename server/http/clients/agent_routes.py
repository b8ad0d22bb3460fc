"""Routes for agents and reports, for administrators, auditors and owners."""

from typing import Final

from server.http import listing
from server.http.clients import agents, invitations, kill_switch
from server.http.incidents import orphans
from server.http.incidents.incident_routes import INCIDENT_ROUTES
from server.http.members import search_names
from server.http.operations import statistics
from server.http.route import managed
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.operations.authority import Role

_OWNER = (Role.ADMIN, Role.OWNER)
_ALL = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

AGENT_ROUTES: Final = (
    managed(
        "GET /api/agents",
        agents.listed,
        "List agents by name. Without a role, your own.",
        query=(*listing.QUERY, *search_names(AGENT_MEMBERS)),
        roles=_ALL,
    ),
    managed(
        "POST /api/agents",
        agents.add,
        "Register an agent. Its secret is shown once.",
        status=201,
        signed=True,
    ),
    managed(
        "GET /api/agents/<id>",
        agents.show,
        "Get one agent with its permissions, owners, secrets, keys and pauses.",
        roles=_ALL,
    ),
    managed(
        "PATCH /api/agents/<id>",
        agents.update,
        "Change an agent. An owner can narrow it.",
        roles=_OWNER,
        versioned=True,
    ),
    managed("DELETE /api/agents/<id>", agents.delete, "Disable and delete an agent."),
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
    managed(
        "POST /api/agents/<id>/enable", agents.enable, "Enable a disabled or quarantined agent."
    ),
    managed(
        "POST /api/agents/<id>/secret",
        agents.rotate,
        "Create a new secret, shown once. The old one works for the overlap.",
        roles=_OWNER,
    ),
    managed(
        "POST /api/agents/<id>/auth",
        agents.change_auth,
        "Change how an agent authenticates. A new secret is shown once.",
        signed=True,
    ),
    managed(
        "GET /api/agents/<id>/audit",
        agents.entries,
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
