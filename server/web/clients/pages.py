"""The pages about agents, invitations and apps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from server.model import display_names
from server.protocol import errors
from server.services.clients.apps import by_path
from server.services.operations.statistics import days_json
from server.services.users.device_auth import Person
from server.web import charts
from server.web.calls import Document
from server.web.choices import ACTIONS, GROUPS, RESOURCES, USERS
from server.web.page import (
    TEN,
    Facts,
    Page,
    Read,
    console_list,
    delete_page,
    edit_page,
    form_page,
    new_page,
    recent_approvals,
    record_page,
)
from server.web.visit import Visit

_DAYS: Final = 14
_PAGE_SIZE: Final = "200"
"""The page size of the lists that are read."""
_UNKNOWN_STATUSES: Final = (403, 404)


@dataclass(slots=True)
class ClientAccess:
    """An agent or app, with its access to this person's data."""

    id: str
    name: str
    tokens: list[Document] = field(default_factory=list)
    consents: list[Document] = field(default_factory=list)
    grants: list[Document] = field(default_factory=list)

    @property
    def acts(self) -> bool:
        """Whether it can act for this person now."""
        return bool(self.tokens or self.consents or self.grants)

    @property
    def last_used_at(self) -> str | None:
        """When one of its tokens was last used, in the format of the API."""
        return max(
            (item["last_used_at"] for item in self.tokens if item["last_used_at"]), default=None
        )


def load_agents(visit: Visit) -> Facts:
    """Load the page of all agents: clients with access by name, then other agents of the person."""
    access = _access_by_client(visit)
    # The API lists all agents to people with a role.
    agents = (item for item in visit.read_all("GET /api/agents") if _owns(visit.person, item))
    owned = {item["client_id"]: item for item in agents}
    other_agents = [item for key, item in owned.items() if key not in access]
    ordered = sorted(access.values(), key=lambda item: (item.name.casefold(), item.id))
    return {"acting": ordered, "mine": owned, "others": other_agents}


def load_agent(visit: Visit) -> Facts:
    """Load the page of one agent or app. Raises errors.Problem 404."""
    client_id = _client_id(visit)
    person_counts = visit.site.statistics.asked_of(visit.person, client_id, _DAYS)
    owned, client_access = _own_agent(visit), _access_by_client(visit).get(client_id)
    if owned is None and client_access is None and not person_counts.has_asked:
        raise errors.not_found("No such agent.")
    days = days_json(person_counts.days)
    return {
        "asks": person_counts.has_asked,
        "agent": owned,
        "has": client_access or ClientAccess(client_id, _name(visit, client_id, owned)),
        "chart": charts.results_by_day(days),
        "days": days,
        "total": person_counts.counts,
    }


def load_suspension(visit: Visit) -> Facts:
    """Load the page that shows what suspending an agent ends. Raises errors.Problem 404."""
    agent = _own_agent(visit)
    if agent is None:
        raise errors.not_found("No such agent.")
    return {"agent": agent, "stops": visit.read("GET /api/agents/<id>/disable", visit.record_id)}


def _access_by_client(visit: Visit) -> dict[str, ClientAccess]:
    """Return each client with access, by ID."""
    access_by_id: dict[str, ClientAccess] = {}
    lists = (
        ("tokens", "client", visit.read("GET /api/delegations", limit=_PAGE_SIZE)),
        ("consents", "client", visit.read("GET /api/consents")),
        ("grants", "agent", visit.read("GET /api/grants")),
    )
    for kind, member, page in lists:
        for item in page["items"]:
            holder = item[member]
            access = access_by_id.setdefault(
                holder["id"], ClientAccess(holder["id"], holder["name"])
            )
            getattr(access, kind).append(item)
    return access_by_id


def _own_agent(visit: Visit) -> Document | None:
    """Return the agent if the person owns it."""
    try:
        agent = visit.read("GET /api/agents/<id>", visit.record_id)
    except errors.Problem as problem:
        if problem.status in _UNKNOWN_STATUSES:
            return None
        raise
    return agent if _owns(visit.person, agent) else None


def _owns(person: Person, agent: Mapping[str, Any]) -> bool:
    return any(owner["id"] == person.user.id for owner in agent["owners"])


def _client_id(visit: Visit) -> str:
    """Return the client_id of the agent or app in the path."""
    with visit.site.store.read() as view:
        app = by_path(view, visit.record_id)
    return visit.record_id if app is None else app.id


def _name(visit: Visit, client_id: str, owned: Document | None) -> str:
    """Return the name of a client that the person owns or that has asked them."""
    if owned is not None:
        return str(owned["name"])
    with visit.site.store.read() as view:
        return display_names.name_of(view.directory, client_id)


_CHOICES: Final = (RESOURCES, USERS, GROUPS, ACTIONS)
_AGENT: Final = Read("agent", "GET /api/agents/<id>")
_APP: Final = Read("app", "GET /api/apps/<id>")
_EDIT: Final = (
    "Changes that reduce access are saved immediately; changes that add access need an "
    "administrator's passkey."
)
_KEYS: Final = "Add the new key first. Remove the old key when the client uses the new one."

_OWN: Final = (
    Page("/agents", "clients/agents.html", "agents", load=load_agents),
    Page("/agents/<id>", "clients/agent.html", "agents", load=load_agent),
    Page("/agents/<id>/suspend", "clients/suspension.html", "agents", load=load_suspension),
)

_AGENTS: Final = (
    console_list("clients/agents", "GET /api/agents", "search"),
    new_page(
        "agent",
        *_CHOICES,
        intro="The client secret is shown once.",
    ),
    record_page(
        "clients/agent",
        _AGENT,
        Read("course", "GET /api/agents/<id>/statistics", ("days",)),
        Read("log", "GET /api/agents/<id>/audit", fixed_parameters=TEN),
        replace(recent_approvals("agent"), optional=True),
        USERS,
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
    *(
        form_page(
            f"/admin/agents/<id>/{verb}",
            f"/admin/agents/<id>/{verb}",
            "agents",
            Read("stops", "GET /api/agents/<id>/disable"),
            _AGENT,
            template="clients/console_agent_disable.html",
        )
        for verb in ("delete", "disable")
    ),
    console_list("clients/invitations", "GET /api/invitations"),
    new_page(
        "invitation",
        *_CHOICES,
        intro="Agents register themselves with an invitation, within the limits you set here. "
        "The invitation token is shown once.",
    ),
)

_APPS: Final = (
    console_list("clients/apps", "GET /api/apps"),
    new_page(
        "app",
        *_CHOICES,
        intro="Users sign in to an app with their Sayso account.",
    ),
    record_page("clients/app", _APP),
    edit_page("app", _APP, *_CHOICES, intro=_EDIT),
    edit_page("app", _APP, part="/keys", intro=f"The app authenticates with these keys. {_KEYS}"),
    delete_page(
        "app",
        _APP,
        intro="All users are signed out of the app, and its tokens are revoked. Its entries in the "
        "audit log are kept.",
    ),
)

PAGES: Final = (*_OWN, *_AGENTS, *_APPS)
