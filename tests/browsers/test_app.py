"""The pages as an app: it can be installed, and says so when the server is away."""

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
    """The inbox of somebody who has just made a passkey, with its service worker at work."""
    return _installed(server, tab)


def _installed(server: LiveServer, tab: Chromium) -> Chromium:
    """Enrol somebody there, and wait for the service worker."""
    newcomer(tab, server)
    tab.tell("Network.enable")
    tab.see(_CONTROLLED)
    return tab


def test_it_can_be_installed(server, browser):
    """The browser itself finds nothing against it, where it keeps what it is given."""
    browser.add_passkey_holder()
    app = _installed(server, browser)
    assert app.tell("Page.getAppManifest")["errors"] == []
    until(lambda: app.tell("Page.getInstallabilityErrors")["installabilityErrors"] == [])


@pytest.mark.parametrize(
    ("can", "own", "words"),
    [
        ("", "desk", "Notifications are off on this computer"),
        ("Object.defineProperty(Navigator.prototype, 'standalone', {value: false})", "ios", ""),
        ("delete window.onbeforeinstallprompt; window.GestureEvent = class {}", "mac", ""),
        ("delete window.PushManager", "desk", "this browser does not support them"),
    ],
    ids=["Chromium", "iOS", "Safari on a Mac", "not to be called"],
)
def test_the_steps_of_the_reader_s_own_platform_come_first(server, app, can, own, words):
    """Told by what the browser can do."""
    made = app.tell("Page.addScriptToEvaluateOnNewDocument", source=can)
    app.open(f"{server.url}/install")
    app.see(f"document.querySelector('.platform').id === '{own}'")
    app.see("document.querySelectorAll('[data-yours]:not([hidden])').length === 1")
    app.says(words)
    assert app.ask("document.querySelectorAll('.platform').length") == 6
    app.tell("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])


def test_a_page_that_loses_the_server_says_how_old_it_is_and_lets_nobody_decide(server, app, agent):
    """The facts stay; the buttons wait for the server."""
    with server.services.store.read() as view:
        name = view.directory.user(view.devices.get(_device(app)).user_id).name
    agent.asked(name)
    app.open(f"{server.url}/")
    app.open(app.see("document.querySelector('.row a')?.href"))
    app.tell("Network.emulateNetworkConditions", **_network(away=True))
    app.says("Not connected. Last updated")
    app.see("document.getElementById('to-deny').inert")
    app.tell("Network.emulateNetworkConditions", **_network(away=False))
    app.see("document.getElementById('offline').hidden")
    app.see("document.getElementById('to-deny').inert === false")


def test_without_the_server_a_page_says_what_was_last_known(server, app):
    """From what the browser keeps, which says nothing of what was asked."""
    app.see("localStorage.getItem('sayso-last')")
    server.stop()
    try:
        app.tell("Page.navigate", url=f"{server.url}/devices")
        app.says("Can't reach Sayso")
        app.says("no requests were waiting for you")
    finally:
        server.start()
    app.says("Your devices")


@pytest.mark.parametrize("status", [503, 504])
def test_what_a_proxy_says_in_place_of_the_server_is_shown_to_nobody(server, app, status):
    """As without the server; and once it is there again, so is the page."""
    with stand_in(server, status):
        app.tell("Page.navigate", url=f"{server.url}/devices")
        app.says("Can't reach Sayso")
        assert WORDS not in app.text()
    app.says("Your devices")


@pytest.mark.parametrize(
    "mark", [{"Content-Security-Policy": policy()}, {"X-Correlation-Id": "0123456789abcdef"}]
)
def test_what_the_server_itself_says_is_shown_even_where_it_is_busy(server, app, mark):
    """Its pages, and what it says to programs."""
    with stand_in(server, 503, mark):
        app.tell("Page.navigate", url=f"{server.url}/devices")
        app.says(WORDS)
    (only,) = until(lambda: app.ask("1") and app.complaints(), 30)
    assert "status of 503" in only
    app.events.clear()


@pytest.fixture
def newer(server: LiveServer, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Puts a new version in this server's place."""
    with newer_pages(server, tmp_path) as put:
        yield put


def test_a_new_version_is_offered_and_comes_when_its_person_wants_it(server, app, newer):
    """No page is loaded anew under somebody's hands; what the old version kept is thrown away."""
    (before,) = app.ask("caches.keys()")
    newer()
    app.open(f"{server.url}/devices")
    app.says("A new version is available.")
    began = app.ask("performance.timeOrigin")
    (kept,) = set(app.ask("caches.keys()")) - {before}
    app.click("#update-now")
    app.see(f"performance.timeOrigin > {began} && document.getElementById('update').hidden")
    app.see(f"caches.keys().then((names) => names.join() === '{kept}')")
    app.see(MARKED)


def test_a_new_page_never_runs_with_the_scripts_of_an_old_one(server, app, newer):
    """Not even where nobody wants the new version yet; a browser asks for each of them."""
    app.see("document.readyState === 'complete'")
    assert not app.ask(MARKED)
    newer()
    app.open(f"{server.url}/")
    app.see(MARKED)


def _device(tab: Chromium) -> str:
    found: str = tab.see("fetch('/api/me').then(a => a.json()).then(me => me.device.id)")
    return found


def _network(*, away: bool) -> dict[str, object]:
    return {
        "offline": away,
        "latency": 0,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    }
