"""The menus: a person's own pages, and the console's.

Owns: what each entry says, where it leads, and their order. Never: who sees a page; its row says.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the menu."""

    at: str
    """How pages say that they belong to it."""
    path: str
    words: str


PLACES: Final = (
    Place("inbox", "/", "Inbox"),
    Place("history", "/history", "History"),
    Place("agents", "/agents", "Agents"),
    Place("grants", "/grants", "Standing grants"),
    Place("consents", "/consents", "Consents"),
    Place("delegations", "/delegations", "Delegations"),
    Place("devices", "/devices", "Devices"),
    Place("settings", "/settings", "Settings"),
)


def _group(title: str, *words: str) -> tuple[str, tuple[Place, ...]]:
    """Each entry is at the last word of its name."""
    ats = [one.lower().split()[-1] for one in words]
    places = zip(ats, words, strict=True)
    return title, tuple(Place(at, f"/admin/{at}", one) for at, one in places)


CONSOLE_MENU: Final = (
    ("Now", (Place("overview", "/admin", "Overview"), *_group("", "Approvals", "Incidents")[1])),
    _group(
        *("Clients", "Agents", "Orphans", "Invitations", "Apps"),
        *("Delegations", "Standing grants", "Consents"),
    ),
    _group("People", "Users", "Groups", "Devices", "Deputies"),
    _group("Rules", "Policy", "Resources", "Actions"),
    _group("Installation", "Audit", "Health", "Limits", "Settings"),
)
"""Titles, and the entries under each."""
