"""Firefox's own behavior as an app: leaving a page, caching, a new version.

Chromium does the same in `test_alive.py` and `test_app.py`.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.browsers.firefox import Firefox, autopush, firefox
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.log_vectors import differences
from tests.support.checks.log_and_rows import waiting
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.fakes.push_service import PushService
from tests.support.servers.new_version import MARKED, newer_pages
from tests.support.servers.server import LiveServer

_CONTROLLED = "Boolean(navigator.serviceWorker.controller)"
_STAND_STILL = "(() => { const now = Date.now(); Date.now = () => now; return true })()"
"""Stops the clock of the page, so that the five seconds before a denial never pass."""
_SECONDS = 60.0


@pytest.fixture(scope="module")
def firefox_browser(
    service: PushService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Firefox]:
    """A Firefox with an authenticator."""
    folder = tmp_path_factory.mktemp("firefox")
    with autopush(service) as push, firefox(folder / "profile", push, os.environ) as tab:
        tab.add_passkey_holder()
        yield tab


@pytest.fixture
def user(server: LiveServer, firefox_browser: Firefox) -> str:
    """A user who created a passkey in Firefox, with an active service worker."""
    firefox_browser.forget_passkeys()
    name = newcomer(firefox_browser, server)
    firefox_browser.see(_CONTROLLED)
    return name


@pytest.fixture
def newer(server: LiveServer, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Return a function that replaces the server with a newer version."""
    with newer_pages(server, tmp_path) as replace:
        yield replace


def test_the_audit_log_is_checked_as_in_the_terminal(user: str, firefox_browser: Firefox) -> None:
    """The shared vectors contain valid and invalid proofs, and signatures of checkpoints."""
    assert user
    assert differences(firefox_browser) == []
    firefox_browser.see("Boolean(localStorage.getItem(`sayso-log-${document.body.dataset.user}`))")


def test_a_denial_is_sent_at_once_when_its_page_is_left(
    server: LiveServer, firefox_browser: Firefox, user: str, agent: Agent
) -> None:
    """The page is left within the five seconds in which the denial can be undone."""
    handle = agent.request_approval(user)
    firefox_browser.open(f"{server.url}/r/{waiting(server, user)[0].id}")
    firefox_browser.click("#to-deny")
    firefox_browser.ask(_STAND_STILL)
    firefox_browser.click("#no button[type=submit]")
    firefox_browser.wait_for_text("Your denial will be sent in five seconds")
    firefox_browser.open(f"{server.url}/settings")
    until(lambda: not waiting(server, user), _SECONDS)
    assert agent.poll(handle).json()["error"] == "access_denied"


@pytest.mark.usefixtures("user")
def test_offline_a_page_shows_the_last_known_state(
    server: LiveServer, firefox_browser: Firefox
) -> None:
    """The page recovers by itself when the server is back."""
    firefox_browser.see("localStorage.getItem('sayso-last')")
    server.stop()
    try:
        firefox_browser.open(f"{server.url}/devices")
        firefox_browser.wait_for_text("Can't reach Sayso")
        firefox_browser.wait_for_text("no requests were waiting for you")
    finally:
        server.start()
    firefox_browser.wait_for_text("Your devices")


@pytest.mark.usefixtures("user")
def test_a_new_version_is_offered_and_installed_on_request(
    server: LiveServer, firefox_browser: Firefox, newer: Callable[[], None]
) -> None:
    """The new version runs its own scripts, and the old cache is deleted."""
    (before,) = firefox_browser.ask("caches.keys()")
    newer()
    firefox_browser.open(f"{server.url}/devices")
    firefox_browser.wait_for_text("A new version is available.")
    began = firefox_browser.ask("performance.timeOrigin")
    firefox_browser.click("#update-now")
    firefox_browser.see(
        f"performance.timeOrigin > {began} && document.getElementById('update').hidden"
    )
    firefox_browser.see(
        f"caches.keys().then((names) => names.length === 1 && names[0] !== '{before}')"
    )
    firefox_browser.see(MARKED)
