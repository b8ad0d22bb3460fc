"""The agents of a person: those that act for them, and those that they own.

Owns: putting together what each one has, and stopping one acting for this person alone. Never:
who may know or do something to an agent; its rows of the API say that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.wrappers import Response as AnyResponse

from server.http import statistics_wire
from server.http.site import Site
from server.protocol import errors
from server.services import parties
from server.services.people import Person
from server.web import charts
from server.web.browser import go
from server.web.calls import Document
from server.web.own.sheets import listed, sheet
from server.web.person_forms import calls_of, sent_form
from server.web.person_pages import Sheet

_DAYS: Final = 14
_MOST: Final = "200"
_UNKNOWN: Final = (403, 404)


@dataclass(slots=True)
class Acting:
    """One agent or app, with what it has of this person now."""

    id: str
    name: str
    tokens: list[Document] = field(default_factory=list)
    consents: list[Document] = field(default_factory=list)
    grants: list[Document] = field(default_factory=list)

    @property
    def acts(self) -> bool:
        """It could do something in this person's name at this moment."""
        return bool(self.tokens or self.consents or self.grants)

    @property
    def last_used_at(self) -> str | None:
        """When one of its tokens was used last, as the API says it."""
        return max(
            (one["last_used_at"] for one in self.tokens if one["last_used_at"]), default=None
        )


def every(site: Site, person: Person) -> Sheet:
    """By name; one's own that act for nobody here stand apart."""
    acting = _acting(site)
    mine = {one["client_id"]: one for one in _owned(site, person)}
    others = [one for key, one in mine.items() if key not in acting]
    ordered = sorted(acting.values(), key=lambda one: (one.name.casefold(), one.id))
    return sheet("agents.html", "agents", acting=ordered, mine=mine, others=others)


def one(site: Site, person: Person, **ids: str) -> Sheet:
    """All that the person may know of one. Raises errors.Problem 404."""
    about = ids["id"]
    asked = site.statistics.asked_of(person, about, _DAYS)
    owned, known = _sheet(site, person, about), _acting(site).get(about)
    if owned is None and known is None and not asked.ever:
        raise _unknown()
    days = [day.model_dump() for day in statistics_wire.days(asked.days)]
    return sheet(
        "agent.html",
        "agents",
        about=about,
        asks=asked.ever,
        agent=owned,
        has=known or Acting(about, _name(site, about, owned)),
        chart=charts.ends(days),
        days=days,
        total=statistics_wire.tally(asked.counts),
    )


def to_suspend(site: Site, person: Person, **ids: str) -> Sheet:
    """What stopping it would end; nothing does yet. Raises errors.Problem 404."""
    agent = _sheet(site, person, ids["id"])
    if agent is None:
        raise _unknown()
    stops = calls_of(site).read("GET /api/agents/<id>/disable", ids["id"])
    return sheet("agent_suspend.html", "agents", agent=agent, stops=stops)


def stop(site: Site, _person: Person, **ids: str) -> AnyResponse:
    """End all that it has of this person; it goes on for others, and may ask again."""
    sent = sent_form(site)
    sent.calls.do("DELETE /api/acting/<id>", ids["id"], None, sent.form)
    return go(f"{site.rules.issuer}/agents/{ids['id']}?done=stopped")


def _acting(site: Site) -> dict[str, Acting]:
    """Everybody who has something of this person, by id."""
    found: dict[str, Acting] = {}
    lists = (
        ("tokens", "client", listed(site, "GET /api/delegations", limit=_MOST)),
        ("consents", "client", listed(site, "GET /api/consents")),
        ("grants", "agent", listed(site, "GET /api/grants")),
    )
    for kind, who, told in lists:
        for right in told["items"]:
            holder = right[who]
            acting = found.setdefault(holder["id"], Acting(holder["id"], holder["name"]))
            getattr(acting, kind).append(right)
    return found


def _owned(site: Site, person: Person) -> list[Document]:
    """Whoever has a role is told of all agents; here stand those that they own."""
    calls, found, cursor = calls_of(site), [], None
    while True:
        query = {"limit": _MOST} | ({} if cursor is None else {"cursor": cursor})
        told = calls.read("GET /api/agents", query=query)
        found += [one for one in told["items"] if _owns(person, one)]
        if (cursor := told["next"]) is None:
            return found


def _sheet(site: Site, person: Person, about: str) -> Document | None:
    """What its owner is told of it; None for anybody else's."""
    try:
        agent = calls_of(site).read("GET /api/agents/<id>", about)
    except errors.Problem as problem:
        if problem.status in _UNKNOWN:
            return None
        raise
    return agent if _owns(person, agent) else None


def _owns(person: Person, agent: Mapping[str, Any]) -> bool:
    return any(owner["id"] == person.user.id for owner in agent["owners"])


def _name(site: Site, about: str, owned: Document | None) -> str:
    """What it is called, for whoever owns it or was asked something by it."""
    if owned is not None:
        return str(owned["name"])
    with site.store.read() as view:
        return parties.name_of(view.directory, about)


def _unknown() -> errors.Problem:
    return errors.Problem(
        404, "not_found", "No such agent is yours, acts for you, or ever asked you anything."
    )
