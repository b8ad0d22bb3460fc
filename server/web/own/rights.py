"""What a person lets others have: grants, consents, and the tokens by which somebody acts now.

Owns: which lists there are. Never: gives one; that is an approval.
"""

from typing import Final

from server.http.site import Site
from server.services.people import Person
from server.web.own.sheets import ENDED, listed, sheet
from server.web.person_pages import Sheet

_MOST: Final = 50
"""Tokens on one page."""


def grants(site: Site, _person: Person) -> Sheet:
    """What was approved ahead, with what is left of it."""
    return sheet("grants.html", "grants", grants=listed(site, "GET /api/grants", ENDED)["items"])


def consents(site: Site, _person: Person) -> Sheet:
    """What agents and apps may use without asking."""
    found = listed(site, "GET /api/consents", ENDED)["items"]
    return sheet("consents.html", "consents", consents=found)


def delegations(site: Site, _person: Person) -> Sheet:
    """Who acts for the person at this moment."""
    found = listed(site, "GET /api/delegations", ENDED, "cursor", limit=str(_MOST))
    facts = {"delegations": found["items"], "next": found["next"]}
    return sheet("delegations.html", "delegations", **facts)
