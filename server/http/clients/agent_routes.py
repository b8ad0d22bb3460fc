"""Routes for agents and reports, for administrators, auditors and owners."""

from typing import Final

from server.http import listing
from server.http.audit import audit_wire
from server.http.clients import agent_wire, agents, invitation_wire, invitations, kill_switch
from server.http.incidents import orphan_wire, orphans
from server.http.incidents.incident_routes import INCIDENT_ROUTES
from server.http.members import search_names
from server.http.operations import statistics, statistics_wire
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.http.wire import Rotation
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON
_OWNER = (Role.ADMIN, Role.OWNER)
_ALL = (Role.ADMIN, Role.AUDITOR, Role.OWNER)


AGENT_ROUTES: Final = (
    Route(
        "GET",
        "/api/agents",
        agents.listed,
        _PERSON,
        "List agents by name. Without a role, your own.",
        query=(*listing.QUERY, *search_names(AGENT_MEMBERS)),
        answer=agent_wire.ManagedAgents,
        errors=READS,
        rule=AccessRule(_ALL),
    ),
    Route(
        "POST",
        "/api/agents",
        agents.add,
        _PERSON,
        "Register an agent. Its secret is shown once.",
        body=agent_wire.NewAgent,
        answer=agent_wire.GivenSecret,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/agents/<id>",
        agents.show,
        _PERSON,
        "Get one agent with its permissions, owners, secrets, keys and pauses.",
        answer=agent_wire.AgentSheet,
        errors=READS,
        rule=AccessRule(_ALL, "agent"),
    ),
    Route(
        "PATCH",
        "/api/agents/<id>",
        agents.update,
        _PERSON,
        "Change an agent. An owner can narrow it.",
        body=agent_wire.AgentChanges,
        answer=agent_wire.ManagedAgent,
        errors=(*CHANGES, 412, 428),
        rule=AccessRule(_OWNER, "agent", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/agents/<id>",
        agents.delete,
        _PERSON,
        "Disable and delete an agent.",
        status=204,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "agent"),
    ),
    Route(
        "GET",
        "/api/agents/<id>/disable",
        kill_switch.preview,
        _PERSON,
        "Count what disabling this agent would end.",
        answer=agent_wire.StoppedAgent,
        errors=READS,
        rule=AccessRule(_ALL, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/disable",
        kill_switch.disable,
        _PERSON,
        "Disable an agent: revoke its tokens and those derived from them, and end its requests.",
        answer=agent_wire.StoppedAgent,
        errors=CHANGES,
        rule=AccessRule(_OWNER, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/enable",
        agents.enable,
        _PERSON,
        "Enable a disabled or quarantined agent.",
        answer=agent_wire.ManagedAgent,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/secret",
        agents.rotate,
        _PERSON,
        "Create a new secret, shown once. The old one works for the overlap.",
        body=Rotation,
        answer=agent_wire.GivenSecret,
        errors=CHANGES,
        rule=AccessRule(_OWNER, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/auth",
        agents.change_auth,
        _PERSON,
        "Change how an agent authenticates. A new secret is shown once.",
        body=agent_wire.AuthChange,
        answer=agent_wire.GivenSecret,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "agent", signed=True),
    ),
    Route(
        "GET",
        "/api/agents/<id>/audit",
        agents.entries,
        _PERSON,
        "List the audit entries of an agent, newest first.",
        query=listing.QUERY,
        answer=audit_wire.LogEntries,
        errors=READS,
        rule=AccessRule(_ALL, "agent"),
    ),
    Route(
        "GET",
        "/api/agents/<id>/statistics",
        statistics.of_agent,
        _PERSON,
        "Get statistics of an agent's requests.",
        query=("days",),
        answer=statistics_wire.CourseAnswer,
        errors=READS,
        rule=AccessRule(_ALL, "agent"),
    ),
    Route(
        "GET",
        "/api/admin/orphans",
        orphans.listed,
        _PERSON,
        "List orphaned agents and those to review. Without a role, your own.",
        query=listing.QUERY,
        answer=orphan_wire.Orphans,
        errors=READS,
        rule=AccessRule(_ALL),
    ),
    Route(
        "GET",
        "/api/invitations",
        invitations.listed,
        _PERSON,
        "List invitations for agents.",
        query=listing.QUERY,
        answer=invitation_wire.ManagedInvitations,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/invitations",
        invitations.issue,
        _PERSON,
        "Create an invitation. The token is shown once.",
        body=invitation_wire.NewInvitation,
        answer=invitation_wire.GivenInvitation,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "DELETE",
        "/api/invitations/<id>",
        invitations.revoke,
        _PERSON,
        "Revoke an invitation. The agents that used it stay.",
        answer=invitation_wire.ManagedInvitation,
        errors=CHANGES,
        rule=AccessRule(ADMIN),
    ),
    *INCIDENT_ROUTES,
)
