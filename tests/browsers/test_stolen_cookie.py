"""A stolen cookie in a thief's browser can read requests, but it cannot sign."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from server.protocol.approvals.states import State
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.browsers.first_sign_in import newcomer
from tests.support.browsers.web_person import COOKIE
from tests.support.checks.log_and_rows import entries, stored_approval
from tests.support.clients.agent import Agent
from tests.support.servers.server import LiveServer

_NOTHING_SENT_MESSAGE = "The passkey was not used. Nothing was sent."


@dataclass(slots=True)
class StolenSession:
    """A pending request, with the browser of its user and that of the thief."""

    asked: str
    own: Chromium
    thief: Chromium


@pytest.fixture
def thief(server: LiveServer, browser: Chromium) -> Iterator[Chromium]:
    """The browser of a user who is signed in with a passkey of their own."""
    with stranger(browser) as new_tab:
        new_tab.add_passkey_holder()
        newcomer(new_tab, server)
        yield new_tab


@pytest.fixture
def stolen(server: LiveServer, tab: Chromium, thief: Chromium, agent: Agent) -> StolenSession:
    """A session with a pending request, before the thief has the cookie."""
    agent.request_approval(newcomer(tab, server))
    tab.open(f"{server.url}/")
    approval_id = tab.see("document.querySelector('.row a')?.href").rpartition("/")[2]
    return StolenSession(approval_id, tab, thief)


def test_another_users_request_looks_like_an_unknown_one(
    server: LiveServer, stolen: StolenSession
) -> None:
    """Both pages have exactly the same text."""
    thief = stolen.thief
    thief.open(f"{server.url}/r/{stolen.asked}")
    theirs = thief.text("main")
    thief.open(f"{server.url}/r/sayso_ap_aaaaaaaaaaaaaaaa")
    assert thief.text("main") == theirs
    assert "Request not found." in theirs


def test_a_stolen_cookie_shows_a_request_and_cannot_decide_it(
    server: LiveServer, stolen: StolenSession
) -> None:
    """Approving needs the user's passkey, which the thief's browser does not have."""
    own, thief = stolen.own, stolen.thief
    _steal(own, thief)
    for tab in (thief, own):
        tab.open(f"{server.url}/r/{stolen.asked}")
        tab.click("#to-approve")
        tab.click("#approve-now")
        if tab is thief:
            tab.wait_for_text(_NOTHING_SENT_MESSAGE)
            assert stored_approval(server, stolen.asked).state is State.PENDING
    own.wait_for_text("Approved by")
    assert stored_approval(server, stolen.asked).state is State.APPROVED


def test_a_stolen_cookie_cannot_enroll_a_device(server: LiveServer, stolen: StolenSession) -> None:
    """Creating an enrollment code needs the user's passkey too."""
    _steal(stolen.own, stolen.thief)
    before = len(entries(server, "code.issued"))
    for tab in (stolen.thief, stolen.own):
        tab.open(f"{server.url}/devices")
        tab.click("#another button")
        tab.click("#sign .primary")
        if tab is stolen.thief:
            tab.wait_for_text(_NOTHING_SENT_MESSAGE)
            assert len(entries(server, "code.issued")) == before
    stolen.own.wait_for_text("Scan this")
    assert len(entries(server, "code.issued")) == before + 1


def _steal(own: Chromium, thief: Chromium) -> None:
    """Set the user's cookie in the thief's browser."""
    (cookie,) = [
        cooky for cooky in own.tell("Network.getCookies")["cookies"] if cooky["name"] == COOKIE
    ]
    cookie_members = {
        name: cookie[name] for name in ("name", "value", "domain", "path", "httpOnly")
    }
    assert thief.tell("Network.setCookie", **cookie_members)["success"]
