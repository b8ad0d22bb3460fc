"""Somebody who comes to the pages with a one-time code and makes a passkey.

Owns: the way from a code to the inbox. Never: which browser it is, or what is done there.
"""

from typing import Protocol

from server.services.users.users import UserChanges, Users
from tests.support.servers.server import BY, LiveServer


class Tab(Protocol):
    """What of a browser it takes."""

    def open(self, url: str) -> None: ...
    def click(self, selector: str) -> None: ...
    def says(self, words: str) -> None: ...


def enroll(tab: Tab, server: LiveServer, code: str) -> None:
    """Create a passkey here with this code; ends in the inbox."""
    tab.open(f"{server.url}/enroll#{code}")
    tab.click("#make button")
    tab.says("Waiting for you")


def newcomer(tab: Tab, server: LiveServer, *roles: str) -> str:
    """Make somebody new, who has these roles and a passkey here; returns their name."""
    name, code = server.user()
    if roles:
        users = Users(server.services.store, server.services.secrets)
        users.update(name, UserChanges(roles=roles), by=BY)
    enroll(tab, server, code)
    return name


def enroll_too(tab: Tab, server: LiveServer, user: str) -> None:
    """Create a passkey here for somebody who has a device already."""
    users = Users(server.services.store, server.services.secrets)
    enroll(tab, server, users.enroll(user, by=BY)[1].code)
