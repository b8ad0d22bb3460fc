"""What the forms about agents, invitations and apps do."""

from typing import Final

from server.web.console import agent_fields, bodies, client_fields
from server.web.console.deed import Deed

_AGENTS: Final = (
    Deed(
        "/admin/new/agent/add",
        "POST /api/agents",
        "Register an agent",
        fields=agent_fields.NEW_AGENT,
        page="/admin/new/agent",
        told="secret.html",
    ),
    Deed(
        "/admin/agents/<id>/change",
        "PATCH /api/agents/<id>",
        "Change this agent",
        fields=agent_fields.CHANGED_AGENT,
        page="/admin/agents/<id>/edit",
        of="agent",
        then="/admin/agents/<id>",
    ),
    Deed(
        "/admin/agents/<id>/owners",
        "PATCH /api/agents/<id>",
        "Change who answers for this agent",
        fields=agent_fields.OWNERS,
        page="/admin/agents/<id>",
        then="/admin/agents/<id>",
    ),
    Deed(
        "/admin/agents/<id>/disable",
        "POST /api/agents/<id>/disable",
        "Stop this agent",
        then="/admin/agents/<id>",
    ),
    Deed(
        "/admin/agents/<id>/enable",
        "POST /api/agents/<id>/enable",
        "Let this agent go on",
        then="/admin/agents/<id>",
    ),
    Deed(
        "/admin/agents/<id>/secret",
        "POST /api/agents/<id>/secret",
        "Give this agent a new secret",
        body=bodies.overlap,
        page="/admin/agents/<id>",
        told="secret.html",
    ),
    Deed(
        "/admin/agents/<id>/keys/change",
        "PATCH /api/agents/<id>",
        "Change the keys of this agent",
        fields=client_fields.KEYS,
        page="/admin/agents/<id>/keys",
        of="agent",
        beside=client_fields.whole_keys,
        then="/admin/agents/<id>",
    ),
    Deed(
        "/admin/agents/<id>/icon/change",
        "PATCH /api/agents/<id>",
        "Change the icon of this agent",
        fields=agent_fields.ICON,
        page="/admin/agents/<id>/icon",
        of="agent",
        then="/admin/agents/<id>",
    ),
    Deed(
        "/admin/agents/<id>/auth/change",
        "POST /api/agents/<id>/auth",
        "Change how this agent proves itself",
        fields=agent_fields.AUTH,
        page="/admin/agents/<id>/auth",
        told="secret.html",
    ),
    Deed(
        "/admin/agents/<id>/delete",
        "DELETE /api/agents/<id>",
        "Stop this agent and forget it",
        page="/admin/agents/<id>/forget",
        then="/admin/agents",
    ),
)

_CLIENTS: Final = (
    Deed(
        "/admin/new/invitation/add",
        "POST /api/invitations",
        "Invite agents",
        fields=agent_fields.NEW_INVITATION,
        page="/admin/new/invitation",
        told="invitation.html",
    ),
    Deed(
        "/admin/invitations/<id>/revoke",
        "DELETE /api/invitations/<id>",
        "Take this invitation back",
        then="/admin/invitations",
    ),
    Deed(
        "/admin/new/app/add",
        "POST /api/apps",
        "Register an app",
        fields=client_fields.NEW_APP,
        page="/admin/new/app",
        told="secret.html",
    ),
    Deed(
        "/admin/apps/<id>/change",
        "PATCH /api/apps/<id>",
        "Change this app",
        fields=client_fields.CHANGED_APP,
        page="/admin/apps/<id>/edit",
        of="app",
        then="/admin/apps/<id>",
    ),
    Deed(
        "/admin/apps/<id>/keys/change",
        "PATCH /api/apps/<id>",
        "Change the keys of this app",
        fields=client_fields.KEYS,
        page="/admin/apps/<id>/keys",
        of="app",
        beside=client_fields.whole_keys,
        then="/admin/apps/<id>",
    ),
    Deed(
        "/admin/apps/<id>/disable",
        "PATCH /api/apps/<id>",
        "Stop this app",
        body=bodies.stops,
        page="/admin/apps/<id>",
        then="/admin/apps/<id>",
    ),
    Deed(
        "/admin/apps/<id>/enable",
        "PATCH /api/apps/<id>",
        "Let this app go on",
        body=bodies.goes_on,
        page="/admin/apps/<id>",
        then="/admin/apps/<id>",
    ),
    Deed(
        "/admin/apps/<id>/secret",
        "POST /api/apps/<id>/secret",
        "Give this app a new secret",
        body=bodies.overlap,
        page="/admin/apps/<id>",
        told="secret.html",
    ),
    Deed(
        "/admin/apps/<id>/delete",
        "DELETE /api/apps/<id>",
        "Forget this app",
        page="/admin/apps/<id>/forget",
        of="app",
        then="/admin/apps",
    ),
)

CLIENT_DEEDS: Final = (*_AGENTS, *_CLIENTS)
