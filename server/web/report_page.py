"""Saying "I did not ask for this": whom it stops, and what happens then, before it is signed.

Owns: the choices of `/r/<id>/report` and their words. Never: what a report does; `reports.py` does.
"""

from typing import Final

from server.http.site import Site
from server.services.approval_records import Approval
from server.services.people import Person
from server.web.person_pages import Sheet, is_open, of_one

_ALONE: Final = (
    "It is denied as not recognised, and its agent is told so. Nobody is stopped, and no "
    "administrator hears of it."
)


def show(site: Site, person: Person, **parts: str) -> Sheet:
    """GET /r/<id>/report: of what waits and of what is over."""
    shown = site.approvals.show(person, parts["id"])
    facts = of_one(site, shown, person)
    whom = choices(shown.approval, is_open=is_open(shown, person))
    return "report.html", {**facts, "choices": whom}


def choices(approval: Approval, *, is_open: bool) -> list[tuple[str, str, str]]:
    """Whom a report can stop: its scope in the API, what it is called, what happens then.

    "" is the request alone: a denial, which can be given once.
    """
    alone = ("", "This request", _ALONE)
    if approval.kind != "action":
        told = "It is refused, and the administrators are told. No agent asked for it."
        stops = [("agent", "This request, and tell the administrators", told)]
    else:
        stops = [
            ("agent", "This agent", "Everything of it ends, for everybody."),
            ("every_agent", "Every agent acting for me", "Each is stopped, for everybody."),
        ]
    return [alone, *stops] if is_open else stops
