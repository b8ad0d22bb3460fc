"""Both stock browsers with push notifications, each with the push protocol of its vendor.

Owns: the same interface for both: a tab with passkeys, a push service, a desktop.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from server.services.users.users import Users
from tests.support.browsers.chromium import chromium
from tests.support.browsers.firefox import Autopush, autopush, firefox
from tests.support.browsers.first_sign_in import enroll
from tests.support.checks.log_and_rows import subscriptions
from tests.support.checks.waiting import until
from tests.support.fakes.desktop import Desktop, desktop, environment
from tests.support.fakes.fake_gcm import fake_gcm
from tests.support.fakes.push_service import PushService, decoded, encrypt
from tests.support.servers.server import BY, LiveServer

ODD = (
    *("", "no json", "null", "7", '"ask"', "[]", "{}"),
    '{"kind": "unheard of", "id": "x"}',
    '{"kind": "ask", "id": "../admin", "risk": "none"}',
    '{"kind": "ask", "id": "x", "risk": "high", "exp": 1e300}',
    '{"kind": "ask", "id": "x", "risk": "high", "exp": "soon", "n": "many"}',
)
"""Messages that a push service or a future version of the server might deliver."""
_SUBSCRIPTION = """navigator.serviceWorker.ready.then(there => there.pushManager.getSubscription())
  .then(one => one.toJSON())"""
_NOTIFICATIONS = "navigator.serviceWorker.ready.then(there => there.getNotifications())"

TOLD_AGAIN = """document.querySelector('[data-push-test]')
  && performance.getEntriesByType('resource')
    .filter(each => each.name.endsWith('/api/push-subscriptions')).length >= 2"""
"""The reloaded page lists this browser and has registered it with the server again."""


class Tab(Protocol):
    """A tab of either browser."""

    def beforehand(self, function: str) -> None: ...
    def open(self, url: str) -> None: ...
    def ask(self, expression: str) -> Any: ...  # whatever the page says
    def see(self, expression: str) -> Any: ...  # as above
    def wait_for_text(self, words: str) -> None: ...
    def text(self, selector: str = "body") -> str: ...
    def click(self, selector: str) -> None: ...
    def wait_for_tab(self, part: str) -> Self: ...
    def new_tab(self) -> Self: ...
    def addresses(self) -> list[str]: ...
    def front(self) -> None: ...
    def close(self) -> None: ...
    def add_passkey_holder(self) -> None: ...
    def forget_passkeys(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Called:
    """A browser with an authenticator, its push service, and the desktop that it runs on."""

    server: LiveServer
    tab: Tab
    service: PushService
    desktop: Desktop
    autopush: Autopush | None = None
    """Mozilla's push server, if the browser is Firefox."""

    def sign_in(self, code: str) -> None:
        """Create a passkey with this code; it is then the only one in the browser."""
        self.tab.forget_passkeys()
        self.tab.front()
        enroll(self.tab, self.server, code)

    def sign_out(self) -> None:
        """Sign out, so that the server no longer knows the browser."""
        self.tab.front()
        self.tab.open(f"{self.server.url}/devices")
        self.tab.click("[data-sign-out]")
        self.tab.wait_for_text("Sign in with a passkey")

    def new_person(self) -> str:
        """Add a user who creates a passkey here and turns on push; return their name."""
        name, code = self.server.user()
        self.sign_in(code)
        self.tab.open(f"{self.server.url}/devices")
        self.tab.click("#push-on")
        self.tab.see(TOLD_AGAIN)
        until(lambda: subscriptions(self.server, name), 30)
        self.service.taken.clear()
        self.service.refused.clear()
        self.desktop.shown.clear()
        return name

    def join(self, name: str) -> None:
        """Sign in as a user who already has another browser."""
        users = Users(self.server.services.store, self.server.services.secrets)
        self.sign_in(users.enroll(name, by=BY)[1].code)

    def push(self, data: str) -> None:
        """Deliver this message through the vendor's push service, as if our server had sent it."""
        subscription = self.tab.ask(_SUBSCRIPTION)
        body = encrypt(
            data.encode(), **{name: decoded(key) for name, key in subscription["keys"].items()}
        )
        assert self.service.forward is not None
        headers = {"encoding": "aes128gcm", "ttl": "60"}
        self.service.forward(subscription["endpoint"].rpartition("/")[2], body, headers)

    def titles(self) -> list[str]:
        """Return the titles of the notifications that the browser shows."""
        found: list[str] = self.tab.ask(
            f"{_NOTIFICATIONS}.then(all => all.map(each => each.title))"
        )
        return found


@contextlib.contextmanager
def called_chromium(server: LiveServer, service: PushService, folder: Path) -> Iterator[Called]:
    """Run stock Chromium; its push service has the origin that the browser reports."""
    with (
        desktop() as screen,
        fake_gcm(service, folder / "gcm") as gcm,
        chromium(folder / "chromium", gcm.flags, environment(screen)) as tab,
    ):
        tab.add_passkey_holder()
        tab.tell("Browser.grantPermissions", origin=server.url, permissions=["notifications"])
        yield Called(server, tab, service, screen)


@contextlib.contextmanager
def called_firefox(server: LiveServer, service: PushService, folder: Path) -> Iterator[Called]:
    """Run stock Firefox."""
    with (
        desktop() as screen,
        autopush(service) as push,
        firefox(folder / "firefox", push, environment(screen)) as tab,
    ):
        tab.add_passkey_holder()
        yield Called(server, tab, service, screen, push)
