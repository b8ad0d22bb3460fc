"""The menus of a person's own pages and of the console.

Owns: the entries and their order. Never: who may see a page; its row says that.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of a menu."""

    at: str
    """The key by which pages refer to it."""
    path: str
    words: str


OWN_MENU: Final = (
    MenuEntry("inbox", "/", "Inbox"),
    MenuEntry("history", "/history", "History"),
    MenuEntry("agents", "/agents", "Agents"),
    MenuEntry("grants", "/grants", "Standing grants"),
    MenuEntry("consents", "/consents", "Consents"),
    MenuEntry("delegations", "/delegations", "Delegations"),
    MenuEntry("devices", "/devices", "Devices"),
    MenuEntry("settings", "/settings", "Settings"),
)


def _group(title: str, *words: str) -> tuple[str, tuple[MenuEntry, ...]]:
    """A group of entries; the key and path of each are the last word of its text."""
    keys = [one.lower().split()[-1] for one in words]
    entries = zip(keys, words, strict=True)
    return title, tuple(MenuEntry(key, f"/admin/{key}", one) for key, one in entries)


CONSOLE_MENU: Final = (
    (
        "Now",
        (MenuEntry("overview", "/admin", "Overview"), *_group("", "Approvals", "Incidents")[1]),
    ),
    _group(
        *("Clients", "Agents", "Orphans", "Invitations", "Apps"),
        *("Delegations", "Standing grants", "Consents"),
    ),
    _group("People", "Users", "Groups", "Devices", "Deputies"),
    _group("Rules", "Policy", "Resources", "Actions"),
    _group("Installation", "Audit", "Health", "Limits", "Settings"),
)
"""Group titles and the entries of each."""
