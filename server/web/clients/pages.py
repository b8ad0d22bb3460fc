"""The pages about agents, invitations and apps."""

from dataclasses import replace
from typing import Final

from server.web import charts
from server.web.choices import ACTIONS, GROUPS, RESOURCES, USERS
from server.web.clients import agents
from server.web.page import (
    Page,
    Read,
    console_list,
    delete_page,
    edit_page,
    form_page,
    new_page,
)

_TEN: Final = (("limit", "10"),)
_CHOICES: Final = (RESOURCES, USERS, GROUPS, ACTIONS)
_AGENT: Final = Read("agent", "GET /api/agents/<id>")
_APP: Final = Read("app", "GET /api/apps/<id>")
_EDIT: Final = (
    "Changes that reduce access are saved immediately; changes that add access need an "
    "administrator's passkey."
)
_KEYS: Final = "Add the new key first. Remove the old key when the client signs with the new one."

_OWN: Final = (
    Page("/agents", "clients/agents.html", "agents", load=agents.load_agents),
    Page("/agents/<id>", "clients/agent.html", "agents", load=agents.load_agent),
    Page("/agents/<id>/suspend", "clients/suspension.html", "agents", load=agents.load_suspension),
)

_AGENTS: Final = (
    console_list("agents", "clients/console_agents.html", "GET /api/agents"),
    new_page(
        "agent",
        *_CHOICES,
        intro="The client secret is shown once.",
    ),
    Page(
        "/admin/agents/<id>",
        "clients/console_agent.html",
        "agents",
        (
            _AGENT,
            Read("course", "GET /api/agents/<id>/statistics", ("days",)),
            Read("log", "GET /api/agents/<id>/audit", fixed=_TEN),
            Read("recent", "GET /api/admin/approvals", fixed=_TEN, about="agent", optional=True),
            USERS,
        ),
        draw=charts.of_agent,
    ),
    edit_page("agent", _AGENT, replace(RESOURCES, optional=True), *_CHOICES[1:], intro=_EDIT),
    edit_page(
        "agent",
        _AGENT,
        part="/keys",
        intro=f"The agent authenticates and signs its requests with these keys. {_KEYS}",
    ),
    edit_page("agent", _AGENT, part="/icon", template="clients/console_agent_icon.html"),
    edit_page(
        "agent",
        _AGENT,
        part="/auth",
        intro="Both methods work during the overlap, so the agent can switch without an outage. "
        "A new client secret is shown once.",
    ),
    form_page(
        "/admin/agents/<id>/delete",
        "/admin/agents/<id>/delete",
        "agents",
        Read("stops", "GET /api/agents/<id>/disable"),
        _AGENT,
        template="clients/console_agent_disable.html",
    ),
    form_page(
        "/admin/agents/<id>/disable",
        "/admin/agents/<id>/disable",
        "agents",
        Read("stops", "GET /api/agents/<id>/disable"),
        _AGENT,
        template="clients/console_agent_disable.html",
    ),
    console_list("invitations", "clients/console_invitations.html", "GET /api/invitations"),
    new_page(
        "invitation",
        *_CHOICES,
        intro="Agents register themselves with an invitation, within the limits you set here. "
        "The invitation token is shown once.",
    ),
)

_APPS: Final = (
    console_list("apps", "clients/console_apps.html", "GET /api/apps"),
    new_page(
        "app",
        *_CHOICES,
        intro="People sign in to an app with their account here.",
    ),
    Page("/admin/apps/<id>", "clients/console_app.html", "apps", (_APP,)),
    edit_page("app", _APP, *_CHOICES, intro=_EDIT),
    edit_page("app", _APP, part="/keys", intro=f"The app authenticates with these keys. {_KEYS}"),
    delete_page(
        "app",
        _APP,
        intro="Everyone is signed out of the app and its tokens are revoked. The audit log keeps "
        "what was done with it.",
    ),
)

PAGES: Final = (*_OWN, *_AGENTS, *_APPS)
