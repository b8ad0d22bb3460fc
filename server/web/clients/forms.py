"""The forms about agents, invitations and apps."""

from dataclasses import replace
from typing import Final

from server.protocol.forms import Form
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.client_members import METHODS
from server.services.clients.invitations import SAFE_GRANTS
from server.web.console import client_fields
from server.web.console.client_fields import CREDENTIALS, rotates
from server.web.console.member_fields import field_named, fields
from server.web.fields import Field
from server.web.form import FormAction, acts, changes, creates, deletes, number_of

RESOURCES: Final = field_named(AGENT_MEMBERS, "resources")
GRANTS: Final = field_named(AGENT_MEMBERS, "grant_types")
SCOPES: Final = field_named(AGENT_MEMBERS, "scopes")
TYPES: Final = field_named(AGENT_MEMBERS, "action_types")

NEW_AGENT: Final = fields(AGENT_MEMBERS, "new")
CHANGED_AGENT: Final = fields(AGENT_MEMBERS, "change")
ICON: Final = (field_named(AGENT_MEMBERS, "icon"),)
OWNERS: Final = (
    Field("add_owners", "Add an owner", "known", suggestions="users"),
    Field("remove_owners", "Remove owners", "lines"),
)
AUTH: Final = (
    Field("method", "Authentication", "choice", choices=METHODS, default="private_key_jwt"),
    Field(
        "jwks",
        "Public keys",
        "json",
        "A JWK set, for private_key_jwt. Leave empty to keep the keys. URLs are not fetched.",
        rows=6,
    ),
    client_fields.overlap("Old method keeps working for"),
)
NEW_INVITATION: Final = (
    Field(
        "owner",
        "Owner",
        "text",
        "The owner of agents that register.",
        required=True,
        defaults_to_user=True,
        suggestions="users",
    ),
    RESOURCES,
    SCOPES,
    TYPES,
    Field("grant_types", "Grant types", "picks", choices=GRANTS.choices, default=SAFE_GRANTS),
    Field(
        "asks",
        "Can ask",
        "known",
        "Users and groups. Leave empty to allow only the owner.",
        suggestions="people",
    ),
    Field("asks_everybody", "Can ask everyone", "box"),
    Field("uses", "Max agents", "number", default=1, empty=1),
    Field("expires_at", "Expires on", "day", "At most 90 days from now. Leave empty for 7 days."),
)


def _mute(form: Form) -> object:
    """The agent to mute and for how many minutes, or until it is unmuted."""
    minutes = number_of(form, "minutes", "for how long")
    agent = {"agent": form.get("agent") or ""}
    return agent if minutes is None else {**agent, "minutes": minutes}


def _switch_app(verb: str, label: str, *, enabled: bool) -> FormAction:
    """The button that disables or enables an app."""
    return FormAction(
        f"/admin/apps/<id>/{verb}",
        "PATCH /api/apps/<id>",
        label,
        body=lambda _form: {"enabled": enabled},
        page="/admin/apps/<id>",
        then="/admin/apps/<id>",
    )


def _changes_keys(noun: str) -> FormAction:
    return changes(
        noun,
        f"Change the keys of this {noun}",
        client_fields.KEYS,
        part="/keys",
        merge=client_fields.merged_keys,
    )


_OWN: Final = (
    FormAction("/agents/<id>/revoke", "DELETE /api/acting/<id>", then="/agents/<id>?done=revoked"),
    FormAction(
        "/agents/<id>/suspend", "POST /api/agents/<id>/disable", then="/agents/<id>?done=suspended"
    ),
    FormAction(
        "/agents/<id>/mute", "POST /api/attention/mutes", body=_mute, then="/agents/<id>?done=muted"
    ),
)

_AGENTS: Final = (
    creates("agent", "Register an agent", NEW_AGENT, answer=CREDENTIALS),
    changes("agent", "Change this agent", CHANGED_AGENT),
    FormAction(
        "/admin/agents/<id>/owners",
        "PATCH /api/agents/<id>",
        "Change the owners of this agent",
        fields=OWNERS,
        page="/admin/agents/<id>",
        then="/admin/agents/<id>",
    ),
    acts("POST /api/agents/<id>/disable", "Disable this agent"),
    acts("POST /api/agents/<id>/enable", "Enable this agent"),
    rotates("agent"),
    _changes_keys("agent"),
    changes("agent", "Change the icon of this agent", ICON, part="/icon"),
    FormAction(
        "/admin/agents/<id>/auth/change",
        "POST /api/agents/<id>/auth",
        "Change how this agent authenticates",
        fields=AUTH,
        page="/admin/agents/<id>/auth",
        answer=CREDENTIALS,
    ),
    replace(deletes("agent", "Delete this agent"), values_from=""),  # its page counts what ends
    creates(
        "invitation",
        "Create an invitation",
        NEW_INVITATION,
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
    creates("app", "Register an app", client_fields.NEW_APP, answer=CREDENTIALS),
    changes("app", "Change this app", client_fields.CHANGED_APP),
    _changes_keys("app"),
    _switch_app("disable", "Disable this app", enabled=False),
    _switch_app("enable", "Enable this app", enabled=True),
    rotates("app"),
    deletes("app", "Delete this app"),
)

FORMS: Final = (*_OWN, *_AGENTS, *_APPS)
