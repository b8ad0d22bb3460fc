"""One user in the terminal app and on a page: each shows the decision of the other."""

from collections.abc import Iterator

import pytest

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import enroll_too
from tests.support.browsers.live_pages import SOON_MS, listening, says_soon
from tests.support.checks.log_and_rows import stored_approval
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.pty_app import Window, window
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import LiveServer


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user with a terminal."""
    new_user = new_person(server)
    yield new_user
    new_user.client.close()


@pytest.fixture
def page(server: LiveServer, tab: Chromium, person: Terminal, agent: Agent) -> Chromium:
    """The page of a pending request of this user, with its live feed."""
    agent.ask_payment(person.user)
    enroll_too(tab, server, person.user)
    listening(tab, f"{server.url}/r/{person.only_request().id}")
    return tab


def test_a_denial_on_the_page_appears_in_the_terminal(
    server: LiveServer, person: Terminal, page: Chromium
) -> None:
    """Acceptance criterion 4: the terminal shows the denial in two seconds and cannot approve."""
    approval_id = person.only_request().id
    with window(person) as app:
        app.wait_for_text("HIGH RISK")
        page.click("#to-deny")
        page.click("#no button[type=submit]")
        decided = _decided_at(server, approval_id, app)
        app.wait_for_text("Denied by")
        assert server.clock.now() - decided < SOON_MS, app.text
        page.wait_for_text("Denied by")
        app.press("a")
        app.wait_for_text("Approve unavailable:")


def test_a_denial_in_the_terminal_appears_on_the_page(
    server: LiveServer, person: Terminal, page: Chromium
) -> None:
    """Acceptance criterion 4: the page shows the denial in two seconds and hides the buttons."""
    approval_id = person.only_request().id
    with window(person) as app:
        app.wait_for_text("HIGH RISK")
        app.press("d")
        app.wait_for_text("Deny?")
        app.press("2", "\r")
        decided = _decided_at(server, approval_id, app)
        says_soon(server, page, "Denied by", since=decided)
    assert page.ask("document.querySelectorAll('main button').length") == 0


def _decided_at(server: LiveServer, approval_id: str, app: Window) -> int:
    """Wait for the decision while reading the terminal, so that it continues to draw."""
    decided_at = until(lambda: (app.text, stored_approval(server, approval_id).decided_at)[1], 30)
    assert decided_at is not None
    return decided_at
