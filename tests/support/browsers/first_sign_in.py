"""A user who opens the pages with a one-time code and creates a passkey.

Owns: the steps from a code to the inbox. Never: which browser it is, or what the user does next.
"""

from typing import Protocol

from server.services.users.users import UserChanges, Users
from tests.support.servers.server import BY, LiveServer


class Tab(Protocol):
    """The methods of a browser that this module needs."""

    def open(self, url: str) -> None: ...
    def click(self, selector: str) -> None: ...
    def wait_for_text(self, words: str) -> None: ...


def enroll(tab: Tab, server: LiveServer, code: str) -> None:
    """Create a passkey in this browser with this code; the tab then shows the inbox."""
    tab.open(f"{server.url}/enroll#{code}")
    tab.click("#make button")
    tab.wait_for_text("Waiting for you")


def newcomer(tab: Tab, server: LiveServer, *roles: str) -> str:
    """Add a user with these roles and a passkey in this browser; return their name."""
    name, code = server.user()
    if roles:
        users = Users(server.services.store, server.services.secrets)
        users.update(name, UserChanges(roles=roles), by=BY)
    enroll(tab, server, code)
    return name


def enroll_too(tab: Tab, server: LiveServer, user: str) -> None:
    """Create a passkey in this browser for a user who already has a device."""
    users = Users(server.services.store, server.services.secrets)
    enroll(tab, server, users.enroll(user, by=BY)[1].code)
