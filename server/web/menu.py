"""The pages of a person, in the order of their menu.

Owns: what the menu says and where it leads. Never: who sees a page; each page decides that itself.
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
