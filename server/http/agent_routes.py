"""The rows of agents and reports: what administrators, auditors and owners may do with them."""

from typing import Final

from server.http import admin_bodies as bodies
from server.http import admin_wire as wire
from server.http import log_wire, orphan_wire, statistics_wire
from server.http.endpoints import (
    agents,
    invitations,
    kill_switch,
    listing,
    orphans,
    statistics,
)
from server.http.incident_routes import INCIDENT_ROUTES
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON
_ADMIN = (Role.ADMIN,)
_STAFF = (Role.ADMIN, Role.AUDITOR)
_OWNER = (Role.ADMIN, Role.OWNER)
_ALL = (Role.ADMIN, Role.AUDITOR, Role.OWNER)

_READS = (401, 403, 404, 422)
_CHANGES = (401, 403, 404, 409, 422)

AGENT_ROUTES: Final = (
    Route(
        "GET",
        "/api/agents",
        agents.listed,
        _PERSON,
        "Every agent by name; my own, without a role.",
        query=listing.QUERY,
        answer=wire.ManagedAgents,
        errors=_READS,
        rule=Rule(_ALL),
    ),
    Route(
        "POST",
        "/api/agents",
        agents.add,
        _PERSON,
        "Register an agent; its secret is told once.",
        body=bodies.NewAgent,
        answer=wire.GivenSecret,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/agents/<id>",
        agents.show,
        _PERSON,
        "One agent: its ceiling, its owners, its secrets and keys, its pauses.",
        answer=wire.AgentSheet,
        errors=_READS,
        rule=Rule(_ALL, "agent"),
    ),
    Route(
        "PATCH",
        "/api/agents/<id>",
        agents.update,
        _PERSON,
        "Change an agent; an owner may narrow it.",
        body=bodies.AgentChanges,
        answer=wire.ManagedAgent,
        errors=(*_CHANGES, 412, 428),
        rule=Rule(_OWNER, "agent", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/agents/<id>",
        agents.delete,
        _PERSON,
        "Stop an agent and forget it.",
        status=204,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "agent"),
    ),
    Route(
        "GET",
        "/api/agents/<id>/disable",
        kill_switch.preview,
        _PERSON,
        "What disabling this agent would end.",
        answer=wire.StoppedAgent,
        errors=_READS,
        rule=Rule(_ALL, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/disable",
        kill_switch.disable,
        _PERSON,
        "Stop an agent: its tokens, all that came from them, and its requests end.",
        answer=wire.StoppedAgent,
        errors=_CHANGES,
        rule=Rule(_OWNER, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/enable",
        agents.enable,
        _PERSON,
        "Let a disabled or quarantined agent go on.",
        answer=wire.ManagedAgent,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/secret",
        agents.rotate,
        _PERSON,
        "A new secret, told once; the old one works for the overlap.",
        body=bodies.Rotation,
        answer=wire.GivenSecret,
        errors=_CHANGES,
        rule=Rule(_OWNER, "agent"),
    ),
    Route(
        "POST",
        "/api/agents/<id>/auth",
        agents.change_auth,
        _PERSON,
        "Let it prove itself in another way; a secret that it needs is told once.",
        body=bodies.AuthChange,
        answer=wire.GivenSecret,
        errors=_CHANGES,
        rule=Rule(_ADMIN, "agent", signed=True),
    ),
    Route(
        "GET",
        "/api/agents/<id>/audit",
        agents.entries,
        _PERSON,
        "What the log says of this agent, newest first.",
        query=listing.QUERY,
        answer=log_wire.LogEntries,
        errors=_READS,
        rule=Rule(_ALL, "agent"),
    ),
    Route(
        "GET",
        "/api/agents/<id>/statistics",
        statistics.of_agent,
        _PERSON,
        "What became of what this agent asked in the last days.",
        query=("days",),
        answer=statistics_wire.CourseAnswer,
        errors=_READS,
        rule=Rule(_ALL, "agent"),
    ),
    Route(
        "GET",
        "/api/admin/orphans",
        orphans.listed,
        _PERSON,
        "Agents without an enabled owner, and those to look at again; of my own, without a role.",
        query=listing.QUERY,
        answer=orphan_wire.Orphans,
        errors=_READS,
        rule=Rule(_ALL),
    ),
    Route(
        "GET",
        "/api/invitations",
        invitations.listed,
        _PERSON,
        "Invitations, with which agents register themselves.",
        query=listing.QUERY,
        answer=wire.ManagedInvitations,
        errors=_READS,
        rule=Rule(_STAFF),
    ),
    Route(
        "POST",
        "/api/invitations",
        invitations.issue,
        _PERSON,
        "Let agents register themselves; the token is told once.",
        body=bodies.NewInvitation,
        answer=wire.GivenInvitation,
        status=201,
        errors=_CHANGES,
        rule=Rule(_ADMIN, signed=True),
    ),
    Route(
        "DELETE",
        "/api/invitations/<id>",
        invitations.revoke,
        _PERSON,
        "Take an invitation back; the agents that used it stay.",
        answer=wire.ManagedInvitation,
        errors=_CHANGES,
        rule=Rule(_ADMIN),
    ),
    *INCIDENT_ROUTES,
)
