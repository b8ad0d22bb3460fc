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
    Place("grants", "/grants", "Grants"),
    Place("consents", "/consents", "Consents"),
    Place("delegations", "/delegations", "Delegations"),
    Place("devices", "/devices", "Devices"),
    Place("settings", "/settings", "Settings"),
)


def _group(title: str, *words: str) -> tuple[str, tuple[Place, ...]]:
    return title, tuple(Place(one.lower(), f"/admin/{one.lower()}", one) for one in words)


CONSOLE_MENU: Final = (
    ("Now", (Place("overview", "/admin", "Overview"), *_group("", "Approvals", "Incidents")[1])),
    _group(
        *("Clients", "Agents", "Orphans", "Invitations", "Apps"),
        *("Delegations", "Grants", "Consents"),
    ),
    _group("People", "Users", "Groups", "Devices", "Deputies"),
    _group("Rules", "Policy", "Resources", "Actions"),
    _group("Installation", "Audit", "Health", "Limits", "Settings"),
)
"""Titles, and the entries under each."""
