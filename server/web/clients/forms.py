"""The forms about agents, invitations and apps."""

from typing import Final

from server.protocol.forms import Form
from server.web.console import agent_fields, client_fields
from server.web.form import FormAction, number_of, overlap

_CREDENTIALS: Final = "clients/console_credentials.html"


def _mute(form: Form) -> object:
    """The agent to mute and for how many minutes, or until it is unmuted."""
    minutes = number_of(form, "minutes", "for how long")
    agent = {"agent": form.get("agent") or ""}
    return agent if minutes is None else {**agent, "minutes": minutes}


def _disable(_form: Form) -> object:
    return {"enabled": False}


def _enable(_form: Form) -> object:
    return {"enabled": True}


_OWN: Final = (
    FormAction("/agents/<id>/stop", "DELETE /api/acting/<id>", then="/agents/<id>?done=stopped"),
    FormAction(
        "/agents/<id>/suspend", "POST /api/agents/<id>/disable", then="/agents/<id>?done=suspended"
    ),
    FormAction(
        "/agents/<id>/mute", "POST /api/attention/mutes", body=_mute, then="/agents/<id>?done=muted"
    ),
)

_AGENTS: Final = (
    FormAction(
        "/admin/new/agent/add",
        "POST /api/agents",
        "Register an agent",
        fields=agent_fields.NEW_AGENT,
        page="/admin/new/agent",
        answer=_CREDENTIALS,
    ),
    FormAction(
        "/admin/agents/<id>/change",
        "PATCH /api/agents/<id>",
        "Change this agent",
        fields=agent_fields.CHANGED_AGENT,
        page="/admin/agents/<id>/edit",
        of="agent",
        then="/admin/agents/<id>",
    ),
    FormAction(
        "/admin/agents/<id>/owners",
        "PATCH /api/agents/<id>",
        "Change the owners of this agent",
        fields=agent_fields.OWNERS,
        page="/admin/agents/<id>",
        then="/admin/agents/<id>",
    ),
    FormAction(
        "/admin/agents/<id>/disable",
        "POST /api/agents/<id>/disable",
        "Disable this agent",
        then="/admin/agents/<id>",
    ),
    FormAction(
        "/admin/agents/<id>/enable",
        "POST /api/agents/<id>/enable",
        "Enable this agent",
        then="/admin/agents/<id>",
    ),
    FormAction(
        "/admin/agents/<id>/secret",
        "POST /api/agents/<id>/secret",
        "Create a new secret for this agent",
        body=overlap,
        page="/admin/agents/<id>",
        answer=_CREDENTIALS,
    ),
    FormAction(
        "/admin/agents/<id>/keys/change",
        "PATCH /api/agents/<id>",
        "Change the keys of this agent",
        fields=client_fields.KEYS,
        page="/admin/agents/<id>/keys",
        of="agent",
        merge=client_fields.merged_keys,
        then="/admin/agents/<id>",
    ),
    FormAction(
        "/admin/agents/<id>/icon/change",
        "PATCH /api/agents/<id>",
        "Change the icon of this agent",
        fields=agent_fields.ICON,
        page="/admin/agents/<id>/icon",
        of="agent",
        then="/admin/agents/<id>",
    ),
    FormAction(
        "/admin/agents/<id>/auth/change",
        "POST /api/agents/<id>/auth",
        "Change how this agent authenticates",
        fields=agent_fields.AUTH,
        page="/admin/agents/<id>/auth",
        answer=_CREDENTIALS,
    ),
    FormAction(
        "/admin/agents/<id>/delete",
        "DELETE /api/agents/<id>",
        "Delete this agent",
        page="/admin/agents/<id>/forget",
        then="/admin/agents",
    ),
    FormAction(
        "/admin/new/invitation/add",
        "POST /api/invitations",
        "Create an invitation",
        fields=agent_fields.NEW_INVITATION,
        page="/admin/new/invitation",
        answer="clients/console_invitation.html",
    ),
    FormAction(
        "/admin/invitations/<id>/revoke",
        "DELETE /api/invitations/<id>",
        "Revoke this invitation",
        then="/admin/invitations",
    ),
)

_APPS: Final = (
    FormAction(
        "/admin/new/app/add",
        "POST /api/apps",
        "Register an app",
        fields=client_fields.NEW_APP,
        page="/admin/new/app",
        answer=_CREDENTIALS,
    ),
    FormAction(
        "/admin/apps/<id>/change",
        "PATCH /api/apps/<id>",
        "Change this app",
        fields=client_fields.CHANGED_APP,
        page="/admin/apps/<id>/edit",
        of="app",
        then="/admin/apps/<id>",
    ),
    FormAction(
        "/admin/apps/<id>/keys/change",
        "PATCH /api/apps/<id>",
        "Change the keys of this app",
        fields=client_fields.KEYS,
        page="/admin/apps/<id>/keys",
        of="app",
        merge=client_fields.merged_keys,
        then="/admin/apps/<id>",
    ),
    FormAction(
        "/admin/apps/<id>/disable",
        "PATCH /api/apps/<id>",
        "Disable this app",
        body=_disable,
        page="/admin/apps/<id>",
        then="/admin/apps/<id>",
    ),
    FormAction(
        "/admin/apps/<id>/enable",
        "PATCH /api/apps/<id>",
        "Enable this app",
        body=_enable,
        page="/admin/apps/<id>",
        then="/admin/apps/<id>",
    ),
    FormAction(
        "/admin/apps/<id>/secret",
        "POST /api/apps/<id>/secret",
        "Create a new secret for this app",
        body=overlap,
        page="/admin/apps/<id>",
        answer=_CREDENTIALS,
    ),
    FormAction(
        "/admin/apps/<id>/delete",
        "DELETE /api/apps/<id>",
        "Delete this app",
        page="/admin/apps/<id>/forget",
        of="app",
        then="/admin/apps",
    ),
)

FORMS: Final = (*_OWN, *_AGENTS, *_APPS)
