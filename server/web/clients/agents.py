"""The agents of a person: those that act for them, and those that they own.

Owns: putting together what each one has. Never: who may know or do something to an agent; the
API's rows say that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from server.http.operations import statistics_wire
from server.model import display_names
from server.protocol import errors
from server.services.users.device_auth import Person
from server.web import charts
from server.web.calls import Document
from server.web.page import Facts
from server.web.visit import Visit

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


def every(visit: Visit) -> Facts:
    """By name; one's own that act for nobody here stand apart."""
    acting = _acting(visit)
    mine = {one["client_id"]: one for one in _owned(visit)}
    others = [one for key, one in mine.items() if key not in acting]
    ordered = sorted(acting.values(), key=lambda one: (one.name.casefold(), one.id))
    return {"acting": ordered, "mine": mine, "others": others}


def one(visit: Visit) -> Facts:
    """All that the person may know of one. Raises errors.Problem 404."""
    asked = visit.site.statistics.asked_of(visit.person, visit.about, _DAYS)
    owned, known = _own_agent(visit), _acting(visit).get(visit.about)
    if owned is None and known is None and not asked.ever:
        raise _unknown()
    days = [day.model_dump() for day in statistics_wire.days(asked.days)]
    return {
        "asks": asked.ever,
        "agent": owned,
        "has": known or Acting(visit.about, _name(visit, owned)),
        "chart": charts.results_by_day(days),
        "days": days,
        "total": statistics_wire.tally(asked.counts),
    }


def to_suspend(visit: Visit) -> Facts:
    """What suspending it would end; nothing does yet. Raises errors.Problem 404."""
    agent = _own_agent(visit)
    if agent is None:
        raise _unknown()
    return {"agent": agent, "stops": visit.read("GET /api/agents/<id>/disable", visit.about)}


def _acting(visit: Visit) -> dict[str, Acting]:
    """Everybody who has something of this person, by id."""
    found: dict[str, Acting] = {}
    lists = (
        ("tokens", "client", visit.read("GET /api/delegations", limit=_MOST)),
        ("consents", "client", visit.read("GET /api/consents")),
        ("grants", "agent", visit.read("GET /api/grants")),
    )
    for kind, who, told in lists:
        for right in told["items"]:
            holder = right[who]
            acting = found.setdefault(holder["id"], Acting(holder["id"], holder["name"]))
            getattr(acting, kind).append(right)
    return found


def _owned(visit: Visit) -> list[Document]:
    """Whoever has a role is told of all agents; here stand those that they own."""
    found: list[Document] = []
    after: dict[str, str] = {}
    while True:
        told = visit.read("GET /api/agents", limit=_MOST, **after)
        found += [one for one in told["items"] if _owns(visit.person, one)]
        if told["next"] is None:
            return found
        after = {"cursor": told["next"]}


def _own_agent(visit: Visit) -> Document | None:
    """What its owner is told of it; None for anybody else's."""
    try:
        agent = visit.read("GET /api/agents/<id>", visit.about)
    except errors.Problem as problem:
        if problem.status in _UNKNOWN:
            return None
        raise
    return agent if _owns(visit.person, agent) else None


def _owns(person: Person, agent: Mapping[str, Any]) -> bool:
    return any(owner["id"] == person.user.id for owner in agent["owners"])


def _name(visit: Visit, owned: Document | None) -> str:
    """What it is called, for whoever owns it or was asked something by it."""
    if owned is not None:
        return str(owned["name"])
    with visit.site.store.read() as view:
        return display_names.name_of(view.directory, visit.about)


def _unknown() -> errors.Problem:
    return errors.Problem(404, "not_found", "No such agent.")
