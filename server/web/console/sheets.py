"""The pages of the console: what each one asks the API, and what draws it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from server.web import charts
from server.web.console.deeds import deed_at


@dataclass(frozen=True, slots=True)
class Read:
    """One question of a page to the API."""

    fact: str
    """Under which name the template has the answer."""
    row: str
    query: tuple[str, ...] = ()
    """Which of the page's own parameters go along."""
    fixed: tuple[tuple[str, str], ...] = ()
    about: str = ""
    """The parameter in which what the page is about goes along, where its path does not say it."""
    spare: bool = False
    """Somebody who may not know it sees the page without it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page."""

    path: str
    template: str
    at: str
    """Which entry of the menu it belongs to."""
    reads: tuple[Read, ...] = ()
    """The first one decides who sees the page."""
    needs: str = ""
    """The row that its form leads to, where the page is nothing but that form."""
    form: str = ""
    """The path of the form that the page is."""
    says: str = ""
    """What whoever fills it in should know."""
    draw: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Makes pictures of what the API answered."""

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that whoever sees it may call."""
        must = tuple(read.row for read in self.reads if not read.spare)
        return (*must, self.needs) if self.needs else must


def _list(at: str, row: str, *query: str, needs: str = "") -> Sheet:
    """A page that is one list, in parts."""
    asked = (*query, "cursor")
    return Sheet(f"/admin/{at}", f"{at}.html", at, (Read(at, row, asked),), needs)


def _form(path: str, form: str, at: str, *reads: Read, says: str = "", template: str = "") -> Sheet:
    """A page that is one form."""
    row = deed_at(form).row
    return Sheet(path, template or "form.html", at, reads, needs=row, form=form, says=says)


def _sure(path: str, form: str, at: str, *reads: Read, says: str) -> Sheet:
    """A page that says what a deed ends, before it is done."""
    return _form(path, form, at, *reads, says=says, template="sure.html")


_WAITING: Final = (("state", "pending"), ("limit", "10"))
_TEN: Final = (("limit", "10"),)
_ALL: Final = (("limit", "200"),)
_RESOURCES: Final = Read("resources", "GET /api/resources", fixed=_ALL)
_AGENT: Final = Read("agent", "GET /api/agents/<id>")
_APP: Final = Read("app", "GET /api/apps/<id>")
_GROUP: Final = Read("group", "GET /api/groups/<id>")
_ACTION: Final = Read("action", "GET /api/actions/<id>")
_RESOURCE: Final = Read("resource", "GET /api/resources/<id>")
_SEARCH: Final = ("type", "actor", "agent", "user", "resource", "approval", "since", "until")

_NOW: Final = (
    Sheet(
        "/admin",
        "overview.html",
        "overview",
        (
            Read("numbers", "GET /api/admin/statistics", ("days",)),
            Read("waiting", "GET /api/admin/approvals", fixed=_WAITING),
            Read("incidents", "GET /api/incidents", fixed=_TEN),
            Read("findings", "GET /api/admin/findings"),
        ),
        draw=charts.of_overview,
    ),
    _list("approvals", "GET /api/admin/approvals", "state", "agent", "user"),
    Sheet(
        "/admin/approvals/<id>",
        "approval.html",
        "approvals",
        (Read("approval", "GET /api/admin/approvals/<id>"),),
    ),
    _list("incidents", "GET /api/incidents", "closed"),
    Sheet(
        "/admin/incidents/<id>",
        "incident.html",
        "incidents",
        (Read("incident", "GET /api/incidents/<id>"),),
    ),
)

_AGENTS: Final = (
    _list("agents", "GET /api/agents"),
    _list("orphans", "GET /api/admin/orphans"),
    _form(
        "/admin/new/agent",
        "/admin/new/agent/add",
        "agents",
        _RESOURCES,
        says="Lists take one to a line. Its secret is shown once.",
    ),
    Sheet(
        "/admin/agents/<id>",
        "agent.html",
        "agents",
        (
            Read("agent", "GET /api/agents/<id>"),
            Read("course", "GET /api/agents/<id>/statistics", ("days",)),
            Read("log", "GET /api/agents/<id>/audit", fixed=_TEN),
            Read(
                "asked_of_late", "GET /api/admin/approvals", fixed=_TEN, about="agent", spare=True
            ),
        ),
        draw=charts.of_agent,
    ),
    _form(
        "/admin/agents/<id>/edit",
        "/admin/agents/<id>/change",
        "agents",
        _AGENT,
        replace(_RESOURCES, spare=True),
        says="Lists take one to a line. What narrows it is done at once; what widens it takes the "
        "passkey of an administrator.",
    ),
    _form(
        "/admin/agents/<id>/keys",
        "/admin/agents/<id>/keys/change",
        "agents",
        _AGENT,
        says="With these it proves itself and signs its requests. Another key is added first, and "
        "the old one taken away when the agent uses the new one.",
    ),
    _form(
        "/admin/agents/<id>/icon",
        "/admin/agents/<id>/icon/change",
        "agents",
        _AGENT,
        template="agent_icon.html",
    ),
    _form(
        "/admin/agents/<id>/auth",
        "/admin/agents/<id>/auth/change",
        "agents",
        _AGENT,
        says="For a while both ways count, so that nothing breaks while the agent learns the new "
        "one. A secret that it needs is made, and shown once.",
    ),
    _form(
        "/admin/agents/<id>/forget",
        "/admin/agents/<id>/delete",
        "agents",
        Read("stops", "GET /api/agents/<id>/disable"),
        _AGENT,
        template="agent_stop.html",
    ),
    _form(
        "/admin/agents/<id>/stop",
        "/admin/agents/<id>/disable",
        "agents",
        Read("stops", "GET /api/agents/<id>/disable"),
        _AGENT,
        template="agent_stop.html",
    ),
    _list("invitations", "GET /api/invitations"),
    _form(
        "/admin/new/invitation",
        "/admin/new/invitation/add",
        "invitations",
        _RESOURCES,
        says="Agents register themselves with it, within what stands here. Its token is told once.",
    ),
    _list("apps", "GET /api/apps"),
    _form(
        "/admin/new/app",
        "/admin/new/app/add",
        "apps",
        _RESOURCES,
        says="An app is used by people, who sign in to it here. Lists take one to a line.",
    ),
    Sheet("/admin/apps/<id>", "app.html", "apps", (_APP,)),
    _form(
        "/admin/apps/<id>/edit",
        "/admin/apps/<id>/change",
        "apps",
        _APP,
        _RESOURCES,
        says="Lists take one to a line. What narrows it is done at once; what widens it takes the "
        "passkey of an administrator.",
    ),
    _form(
        "/admin/apps/<id>/keys",
        "/admin/apps/<id>/keys/change",
        "apps",
        _APP,
        says="With these it proves itself. Another key is added first, and the old one taken away "
        "when the app uses the new one.",
    ),
    _sure(
        "/admin/apps/<id>/forget",
        "/admin/apps/<id>/delete",
        "apps",
        _APP,
        says="Everybody in it is signed out, and its tokens end. What was done with "
        "it stays in the log.",
    ),
    _list("delegations", "GET /api/admin/delegations", "client", "user", "resource", "ended"),
    Sheet(
        "/admin/delegations/<id>",
        "delegation.html",
        "delegations",
        (Read("chain", "GET /api/admin/delegations/<id>"),),
    ),
    _list("grants", "GET /api/admin/grants", "agent", "user", "ended"),
    _list("consents", "GET /api/admin/consents", "client", "user", "ended"),
)

_PEOPLE: Final = (
    _list("users", "GET /api/users"),
    _form(
        "/admin/new/user",
        "/admin/new/user/add",
        "users",
        says="They get a one-time code for their first device, which is shown once.",
    ),
    Sheet(
        "/admin/users/<id>",
        "user.html",
        "users",
        (
            Read("user", "GET /api/users/<id>"),
            Read("asked_of_late", "GET /api/admin/approvals", fixed=_TEN, about="user"),
        ),
    ),
    _list("groups", "GET /api/groups"),
    _form(
        "/admin/new/group",
        "/admin/new/group/add",
        "groups",
        says="People who are named together, in rules and in what an agent may ask.",
    ),
    Sheet("/admin/groups/<id>", "group.html", "groups", (_GROUP,)),
    _sure(
        "/admin/groups/<id>/forget",
        "/admin/groups/<id>/delete",
        "groups",
        _GROUP,
        says="It is refused while a rule or an agent names it. Its members stay.",
    ),
    _list("devices", "GET /api/admin/devices", "user"),
    Sheet(
        "/admin/deputies",
        "deputies.html",
        "deputies",
        (Read("deputies", "GET /api/admin/deputies"),),
    ),
)

_RULES: Final = (
    Sheet("/admin/policy", "policy.html", "policy", (Read("policy", "GET /api/policy"),)),
    _list("resources", "GET /api/resources"),
    _form(
        "/admin/new/resource",
        "/admin/new/resource/add",
        "resources",
        says="A protected API or an MCP server. Its credentials are shown once: with them it asks "
        "whether tokens for it count.",
    ),
    Sheet("/admin/resources/<id>", "resource.html", "resources", (_RESOURCE,)),
    _form(
        "/admin/resources/<id>/edit",
        "/admin/resources/<id>/change",
        "resources",
        _RESOURCE,
        says="A scope more, or one of lower risk, takes the passkey of an administrator.",
    ),
    _sure(
        "/admin/resources/<id>/forget",
        "/admin/resources/<id>/delete",
        "resources",
        _RESOURCE,
        says="Every token for it and every open request about it ends, with what people consented "
        "to and granted there; no agent and no app may reach it any more, even when it is "
        "registered again.",
    ),
    _list("actions", "GET /api/actions"),
    _form(
        "/admin/new/action",
        "/admin/new/action/add",
        "actions",
        says="What agents can ask for with details, and how a person reads it.",
        template="action_form.html",
    ),
    Sheet("/admin/actions/<id>", "action.html", "actions", (_ACTION,)),
    _form(
        "/admin/actions/<id>/edit",
        "/admin/actions/<id>/change",
        "actions",
        _ACTION,
        says="Requests from then on are shown by the new version; those that wait keep what they "
        "were shown as. Standing grants of the type end.",
        template="action_form.html",
    ),
    _sure(
        "/admin/actions/<id>/forget",
        "/admin/actions/<id>/delete",
        "actions",
        _ACTION,
        says="It is refused while a scope needs it. Requests for it are granted no more, standing "
        "grants of it end, and no agent may ask for it. What was asked stays in the log.",
    ),
)

_INSTALLATION: Final = (
    _list("audit", "GET /api/audit", *_SEARCH),
    Sheet("/admin/audit/<id>", "entry.html", "audit", (Read("entry", "GET /api/audit/<id>"),)),
    Sheet(
        "/admin/health",
        "health.html",
        "health",
        (
            Read("findings", "GET /api/admin/findings"),
            Read("outgoing", "GET /api/admin/outbox"),
        ),
    ),
    Sheet(
        "/admin/limits",
        "limits.html",
        "limits",
        (Read("limits", "GET /api/admin/limits"),),
        draw=charts.of_limits,
    ),
    Sheet(
        "/admin/settings",
        "settings.html",
        "settings",
        (
            Read("settings", "GET /api/admin/settings"),
            Read("signing", "GET /api/keys"),
        ),
    ),
)

_SIGNING: Final = (
    _sure(
        "/admin/keys/<id>/end",
        "/admin/keys/<id>/revoke",
        "settings",
        Read("signing", "GET /api/keys"),
        says="This is for a key that has leaked. Every token that it signed counts no longer, at "
        "once; another key signs in its place.",
    ),
)

SHEETS: Final = (*_NOW, *_AGENTS, *_PEOPLE, *_RULES, *_INSTALLATION, *_SIGNING)


def sheet_at(path: str) -> Sheet:
    """The page of this path."""
    return next(sheet for sheet in SHEETS if sheet.path == path)


_TITLES: Final = (
    ("Now", ("Overview", "Approvals", "Incidents")),
    ("Clients", ("Agents", "Orphans", "Invitations", "Apps", "Delegations", "Grants", "Consents")),
    ("People", ("Users", "Groups", "Devices", "Deputies")),
    ("Rules", ("Policy", "Resources", "Actions")),
    ("Installation", ("Audit", "Health", "Limits", "Settings")),
)


def _entry(title: str) -> tuple[str, str, str, str]:
    at = title.lower()
    sheet = next(one for one in SHEETS if one.at == at)
    return at, sheet.path, title, sheet.rows[0]


MENU: Final = tuple((group, tuple(map(_entry, titles))) for group, titles in _TITLES)
"""Groups of entries: which it is, where it leads, what it says, and the row that it takes."""
