"""The pages as an installed app, online and offline."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.web.browser import policy
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.checks.waiting import until
from tests.support.fakes.proxy_errors import WORDS, stand_in
from tests.support.servers.new_version import MARKED, newer_pages
from tests.support.servers.server import LiveServer

_CONTROLLED = "Boolean(navigator.serviceWorker.controller)"


@pytest.fixture
def app(server: LiveServer, tab: Chromium) -> Chromium:
    """The inbox of a new user, with its service worker active."""
    return _installed(server, tab)


def _installed(server: LiveServer, tab: Chromium) -> Chromium:
    """Enroll a user in this browser, and wait for the service worker."""
    newcomer(tab, server)
    tab.tell("Network.enable")
    tab.see(_CONTROLLED)
    return tab


def test_the_app_is_installable(server, browser):
    """In a profile that stores data, the browser reports no errors about the manifest."""
    browser.add_passkey_holder()
    app = _installed(server, browser)
    assert app.tell("Page.getAppManifest")["errors"] == []
    until(lambda: app.tell("Page.getInstallabilityErrors")["installabilityErrors"] == [])
    app.open("about:blank")


@pytest.mark.parametrize(
    ("can", "own", "words"),
    [
        ("", "desk", "Notifications are off on this computer"),
        ("Object.defineProperty(Navigator.prototype, 'standalone', {value: false})", "ios", ""),
        ("delete window.onbeforeinstallprompt; window.GestureEvent = class {}", "mac", ""),
        ("delete window.PushManager", "desk", "this browser does not support them"),
    ],
    ids=["Chromium", "iOS", "Safari on a Mac", "no notifications"],
)
def test_install_steps_of_the_users_platform_come_first(server, app, can, own, words):
    """The platform is detected from the browser's features."""
    script = app.tell("Page.addScriptToEvaluateOnNewDocument", source=can)
    app.open(f"{server.url}/install")
    app.see(f"document.querySelector('.platform').id === '{own}'")
    app.see("document.querySelectorAll('[data-yours]:not([hidden])').length === 1")
    app.wait_for_text(words)
    assert app.ask("document.querySelectorAll('.platform').length") == 6
    app.tell("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_a_page_that_loses_the_server_shows_its_age_and_blocks_decisions(server, app, agent):
    """The facts stay visible, and the buttons are disabled until the server is reachable again."""
    with server.services.store.read() as view:
        name = view.directory.user(view.devices.get(_device(app)).user_id).name
    agent.request_approval(name)
    app.open(f"{server.url}/")
    app.open(app.see("document.querySelector('.row a')?.href"))
    app.tell("Network.emulateNetworkConditions", **_network(away=True))
    app.wait_for_text("Not connected. Last updated")
    app.see("document.getElementById('to-deny').inert")
    app.tell("Network.emulateNetworkConditions", **_network(away=False))
    app.see("document.getElementById('offline').hidden")
    app.see("document.getElementById('to-deny').inert === false")


def test_offline_a_page_shows_the_last_known_state(server, app):
    """The state comes from the browser's storage, which has no request details."""
    app.see("localStorage.getItem('sayso-last')")
    server.stop()
    try:
        app.tell("Page.navigate", url=f"{server.url}/devices")
        app.wait_for_text("Can't reach Sayso")
        app.wait_for_text("no requests were waiting for you")
    finally:
        server.start()
    app.wait_for_text("Your devices")


@pytest.mark.parametrize("status", [503, 504])
def test_an_error_page_of_a_proxy_is_not_shown(server, app, status):
    """A proxy's error is treated as offline; the page recovers when the server is back."""
    with stand_in(server, status):
        app.tell("Page.navigate", url=f"{server.url}/devices")
        app.wait_for_text("Can't reach Sayso")
        assert WORDS not in app.text()
    app.wait_for_text("Your devices")


@pytest.mark.parametrize(
    "mark", [{"Content-Security-Policy": policy()}, {"X-Correlation-Id": "0123456789abcdef"}]
)
def test_an_error_of_the_server_itself_is_shown(server, app, mark):
    """Headers that only the server sends mark its own errors."""
    with stand_in(server, 503, mark):
        app.tell("Page.navigate", url=f"{server.url}/devices")
        app.wait_for_text(WORDS)
    (only,) = until(lambda: app.ask("1") and app.complaints(), 30)
    assert "status of 503" in only
    app.events.clear()


@pytest.fixture
def newer(server: LiveServer, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Return a function that replaces the server with a newer version."""
    with newer_pages(server, tmp_path) as replace:
        yield replace


def test_a_new_version_is_offered_and_installed_on_request(server, app, newer):
    """No page is reloaded on its own; the old cache is deleted."""
    (before,) = app.ask("caches.keys()")
    newer()
    app.open(f"{server.url}/devices")
    app.wait_for_text("A new version is available.")
    began = app.ask("performance.timeOrigin")
    (cache_name,) = set(app.ask("caches.keys()")) - {before}
    app.click("#update-now")
    app.see(f"performance.timeOrigin > {began} && document.getElementById('update').hidden")
    app.see(f"caches.keys().then((names) => names.join() === '{cache_name}')")
    app.see(MARKED)


def test_a_new_page_never_runs_with_old_scripts(server, app, newer):
    """The browser revalidates each script, even before the user accepts the update."""
    app.see("document.readyState === 'complete'")
    assert not app.ask(MARKED)
    newer()
    app.open(f"{server.url}/")
    app.see(MARKED)


def _device(tab: Chromium) -> str:
    device_id: str = tab.see("fetch('/api/me').then(a => a.json()).then(me => me.device.id)")
    return device_id


def _network(*, away: bool) -> dict[str, object]:
    return {
        "offline": away,
        "latency": 0,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    }
