"""The service worker's handling of a push, on the desktop of stock Chromium.

Owns: pushes as text, passed to it by the browser's protocol. Their delivery is tested in
`test_push.py`, in both browsers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.browsers.chromium import Chromium, chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.pushed_browsers import ODD
from tests.support.checks.waiting import until
from tests.support.fakes.desktop import Desktop, desktop, environment
from tests.support.servers.server import LiveServer

_VISIBLE = """navigator.serviceWorker.ready.then((there) => there.getNotifications()).then((all) =>
  all.map(({ tag, renotify, actions }) => [tag, renotify, actions.map((each) => each.action)]))"""

_CLOSE = """navigator.serviceWorker.ready.then((there) => there.getNotifications()).then((all) =>
  all.forEach((each) => each.close()))"""


@dataclass(frozen=True, slots=True)
class Worker:
    """A visible page whose service worker gets pushes, and its desktop."""

    tab: Chromium
    desktop: Desktop

    def ask(self, number: int, **members: object) -> list[object]:
        """Push the request with this number, and return what the browser shows for it."""
        message = {"v": 1, "kind": "ask", "id": "one", "risk": "low", "exp": 1_800_000_000, "n": 1}
        self.desktop.shown.clear()
        self.tab.push(json.dumps({**message, "step": 0, "at": number, **members}))
        until(lambda: self.desktop.shown, 30)
        (found,) = self.tab.see(f"{_VISIBLE}.then((all) => all.length === 1 && all)")
        return list(found)


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory, server: LiveServer) -> Iterator[Worker]:
    """Chromium with a desktop, and a signed-in user."""
    folder = tmp_path_factory.mktemp("worker")
    with desktop() as screen, chromium(folder, (), environment(screen)) as tab:
        tab.add_passkey_holder()
        tab.tell("Browser.grantPermissions", origin=server.url, permissions=["notifications"])
        newcomer(tab, server)
        yield Worker(tab, screen)


@pytest.fixture
def worker(server: LiveServer, phone: Worker) -> Worker:
    """The same browser, without notifications."""
    phone.tab.tell("Page.bringToFront")
    phone.tab.open(f"{server.url}/")
    phone.tab.ask(_CLOSE)
    phone.tab.see(f"{_VISIBLE}.then((all) => all.length === 0)")
    phone.desktop.shown.clear()
    return phone


def test_every_push_shows_a_notification_even_with_a_page_in_front(worker: Worker) -> None:
    """Acceptance 14: malformed and unknown pushes show a notification too."""
    assert worker.tab.see("document.hasFocus()")
    for data in ODD:
        worker.desktop.shown.clear()
        worker.tab.push(data)
        worker.desktop.wait("Approval needed")


@pytest.mark.parametrize("risk", ["low", "medium", "high", "critical"])
def test_a_notification_offers_review_and_deny_at_every_risk(
    server: LiveServer, worker: Worker, risk: str
) -> None:
    """There are at most two buttons; the second opens the denial step and decides nothing."""
    assert worker.ask(1, risk=risk)[2] == ["review", "deny"]
    notification = worker.desktop.wait(f"Approval needed, {risk} risk")
    worker.desktop.press(notification, "Deny…")
    page = worker.tab.wait_for_tab("/r/one#deny")
    page.see("location.pathname === '/r/one' && location.hash === '#deny'")
    assert worker.tab.see(f"{_VISIBLE}.then((all) => all.length === 0)")
    page.close()
    assert server.log == ""


def test_deny_opens_a_new_page_if_the_open_page_is_uncontrolled(
    server: LiveServer, worker: Worker
) -> None:
    """A service worker cannot navigate a page that was loaded without it."""
    worker.tab.open(f"{server.url}/r/one")
    worker.tab.tell("Page.reload", ignoreCache=True)
    worker.tab.see("navigator.serviceWorker.controller === null")
    worker.ask(1)
    worker.desktop.press(worker.desktop.wait("Approval needed"), "Deny…")
    page = worker.tab.wait_for_tab("/r/one#deny")
    page.see("location.hash === '#deny'")
    page.close()
    assert worker.tab.ask("location.hash") == ""


def test_a_notification_of_several_requests_has_no_buttons(worker: Worker) -> None:
    """With several requests, it would be unclear which one a button denies."""
    assert worker.ask(1, n=2) == ["waiting", True, []]


def test_only_new_or_escalated_requests_ring_again(worker: Worker) -> None:
    """A repeated push, or an older one that arrives late, updates the notification silently."""
    rings = [
        ("the first word of it", {"risk": "medium"}, True),
        ("a repeat", {"risk": "medium"}, False),
        ("graver now", {"risk": "high"}, True),
        ("less grave again", {"risk": "medium"}, False),
        ("said again at the half of its time", {"risk": "medium", "step": 1}, True),
        ("a repeat of that", {"risk": "medium", "step": 1}, False),
        ("another request beside it", {"id": "two", "n": 2}, True),
        ("a repeat of both", {"id": "two", "n": 2}, False),
        ("a third", {"id": "three", "n": 3}, True),
        ("counted earlier", {"id": "four", "n": 2, "at": 0}, False),
    ]
    alerted = [(why, worker.ask(at, **message)[1]) for at, (why, message, _) in enumerate(rings, 1)]
    assert alerted == [(why, rung) for why, _, rung in rings]
