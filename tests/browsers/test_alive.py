"""Request pages while time passes, the network fails, and other devices decide."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from server.services.users.users import Users
from tests.support.browsers.accessibility_tree import heard
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import enroll_too
from tests.support.browsers.live_pages import listening
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person, terminal
from tests.support.servers.server import BY, LiveServer

_AWAY = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
_INERT = "Array.from(document.querySelectorAll('{}')).every(each => each.closest('[inert]'))"
_SECONDS_LEFT = (
    r"Number(document.querySelector('[data-left]').textContent.match(/^in (\d+) s$/)?.[1])"
)
"""The seconds left that a page shows and counts down."""
_NEWS = "document.querySelector('#news a').textContent"
_HOSTILE = {
    "type": "event",
    "event": "approval.decided",
    "approval": {
        "decided": {
            "decision": "deny",
            "by": {"id": "x", "name": "\u202eeve<b>"},
            "device": {"id": "y", "name": "d\x07sk"},
        }
    },
}
_SECONDS = 60.0


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user with a terminal."""
    new_user = new_person(server)
    yield new_user
    new_user.client.close()


@pytest.fixture
def page(server: LiveServer, tab: Chromium, person: Terminal) -> Chromium:
    """The user's inbox in a browser."""
    tab.look(width=1200, height=1800)
    enroll_too(tab, server, person.user)
    return tab


@pytest.fixture
def opened(server: LiveServer, page: Chromium, person: Terminal) -> Callable[[str], str]:
    """Return a function that opens a page of the only request and returns its ID."""

    def run(what: str) -> str:
        approval_id = person.only_request().id
        page.open(f"{server.url}/r/{approval_id}{what}")
        return approval_id

    return run


def test_one_button_extends_a_request_and_open_pages_show_the_new_expiry(
    page: Chromium, person: Terminal, agent: Agent, opened: Callable[[str], str]
) -> None:
    """After the second extension, the risk allows no more extensions, and the button disappears."""
    agent.ask_payment(person.user)
    expiry = person.only_request().expires_at
    opened("")
    page.click("#facts [data-longer]")
    until(lambda: person.only_request().expires_at > expiry, _SECONDS)
    page.wait_for_text("Expires")
    extended = person.only_request()
    person.client.extend(extended.id)
    page.see(f"document.querySelector('[data-end]').dateTime > {_text(extended.expires_at)}")
    page.see("document.querySelector('[data-longer]').hidden")


def test_expiry_is_announced_twice_and_then_disables_everything(
    page: Chromium, person: Terminal, agent: Agent, opened: Callable[[str], str]
) -> None:
    """A screen reader hears two warnings and the expiry, but not every second."""
    agent.request_approval(person.user, requested_expiry="300")
    opened("")
    page.tell("Accessibility.enable")
    before = _shown_lines(page)
    page.later(230)
    until(lambda: _new(page, before, "seconds left to answer. More time"), _SECONDS)
    page.later(20)
    page.see(f"{_SECONDS_LEFT} <= 40")
    assert not _new(page, before, "seconds left", most=40)
    page.later(20)
    until(lambda: _new(page, before, "seconds left", most=20), _SECONDS)
    page.later(60)
    until(lambda: _new(page, before, "The request has expired."), _SECONDS)
    page.wait_for_text("expired")
    page.see(_INERT.format(".bar :is(button, a)"))


@pytest.mark.parametrize(
    ("what", "places"),
    [
        ("", ("#note", "#no [type=submit]")),
        ("/limit", ("#seconds", ".less button")),
        ("/report", ("#note", "#report [type=submit]")),
        ("/similar", ("#uses", "[value=preview]")),
    ],
)
def test_offline_nothing_can_be_pressed_and_typed_text_is_kept(
    page: Chromium,
    person: Terminal,
    agent: Agent,
    opened: Callable[[str], str],
    what: str,
    places: tuple[str, str],
) -> None:
    """The page recovers by itself after it fetched the state of the request."""
    field, presses = places
    agent.request_approval(person.user)
    opened(what)
    if not what:
        page.click("#to-deny")
    page.tell("Network.enable")
    page.tell("Network.emulateNetworkConditions", **_AWAY)
    page.wait_for_text("Not connected. Last updated")
    page.see("/[(][0-9]+ s ago[)]/.test(document.getElementById('offline').innerText)")
    page.see(_INERT.format(presses))
    page.type(field, "12")
    page.press("Enter")
    page.tell("Network.emulateNetworkConditions", **{**_AWAY, "offline": False})
    page.see("document.getElementById('offline').hidden")
    page.see(f"!{_INERT.format(presses)}")
    assert page.ask(f"document.querySelector('{field}').value").strip() == "12"


@pytest.mark.parametrize("what", ["", "/limit"])
def test_a_decision_on_another_device_is_shown_and_typed_text_is_kept(
    page: Chromium, person: Terminal, agent: Agent, opened: Callable[[str], str], what: str
) -> None:
    """The page says who decided and how. The typed text stays, but it cannot be sent."""
    agent.request_approval(person.user)
    opened(what)
    field = "#seconds" if what else "#note"
    if not what:
        page.click("#to-deny")
    page.type(field, "12")
    person.deny(person.only_request())
    page.wait_for_text(f"Denied by {person.user} on laptop")
    page.see(_INERT.format("article :is(form button:not([data-back]), [data-longer])"))
    assert page.ask(f"document.querySelector('{field}').value") == "12"


def test_a_request_decided_on_another_device_can_still_be_reported(
    page: Chromium, person: Terminal, agent: Agent, opened: Callable[[str], str]
) -> None:
    """A decided request can no longer be denied, but its agents can be quarantined."""
    agent.request_approval(person.user)
    opened("/report")
    page.type("#note", "Who is this?")
    person.deny(person.only_request())
    page.wait_for_text(f"Denied by {person.user} on laptop")
    assert page.ask("document.querySelector('[name=scope]').disabled") is True
    page.click("input[value=agent]")
    page.click("#report [type=submit]")
    page.wait_for_text("1 agent was quarantined")


def test_the_inbox_states_what_happened_elsewhere_and_by_whom(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The message names the device as text, and several events are summarized."""
    for _ in range(2):
        agent.request_approval(person.user)
    listening(page, f"{server.url}/")
    first, second = person.waiting()
    person.approve(first)
    page.wait_for_text("Approved by you on laptop. Show changes")
    assert page.ask("document.querySelectorAll('#news bdi').length") == 1
    person.deny(second)
    page.wait_for_text("Several things changed. Show changes")


def test_event_messages_show_names_as_text(server: LiveServer, page: Chromium) -> None:
    """Markup and reversed text have no effect."""
    page.open(f"{server.url}/")
    page.ask(f"import('/event_text.js').then(each => each.told({json.dumps(_HOSTILE)}))")
    assert page.ask(_NEWS) == "Denied by \ufffdeve<b> on d\ufffdsk. Show changes"
    assert page.ask("document.querySelectorAll('#news b').length") == 0


def test_the_device_page_announces_a_new_device(
    server: LiveServer, page: Chromium, person: Terminal
) -> None:
    """The message has the name of the device."""
    listening(page, f"{server.url}/devices")
    users = Users(server.services.store, server.services.secrets)
    terminal(server, person.user, users.enroll(person.user, by=BY)[1].code, name="desk")
    page.wait_for_text("A device was enrolled: desk. Show changes")


def test_swiping_a_card_opens_it_without_deciding(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """A horizontal swipe opens the request, and a vertical one only scrolls."""
    agent.request_approval(person.user)
    page.look(width=360)
    page.open(f"{server.url}/")
    page.see("document.querySelector('.row a') !== null")
    at = page.ask(
        "(() => { const b = document.querySelector('.row a').getBoundingClientRect();"
        " return [b.x + 20, b.y + b.height / 2]; })()"
    )
    _push(page, at, by=(20, 150))
    assert page.ask("location.pathname") == "/"
    _push(page, at, by=(150, 10))
    page.see("location.pathname.startsWith('/r/')")
    assert person.only_request().id


def _push(page: Chromium, at: tuple[float, float], *, by: tuple[int, int]) -> None:
    """Touch a point, move by the given distance, and lift the finger."""
    (x, y), (right, down) = at, by
    page.tell("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    moved = [{"x": x + right, "y": y + down}]
    page.tell("Input.dispatchTouchEvent", type="touchMove", touchPoints=moved)
    page.tell("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def test_a_denial_can_be_undone_before_it_is_sent(
    page: Chromium, person: Terminal, agent: Agent, opened: Callable[[str], str]
) -> None:
    """After the undo, the request is pending and can be denied again."""
    handle = agent.request_approval(person.user)
    opened("")
    page.click("#to-deny")
    page.type("#note", "Too early")
    _stand_still(page)
    page.click("#no [type=submit]")
    page.click("#think button")
    page.wait_for_text("Undone. Nothing was sent.")
    assert person.only_request().id
    assert page.ask("document.activeElement.type") == "submit"
    page.click("#no [type=submit]")
    page.wait_for_text("Your denial will be sent in five seconds")
    page.later(6)
    page.wait_for_text("Denied by")
    assert agent.poll(handle).json()["error"] == "access_denied"


def test_a_denial_is_sent_at_once_when_its_page_is_left(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent, opened: Callable[[str], str]
) -> None:
    """Leaving the page does not undo the denial."""
    handle = agent.request_approval(person.user)
    opened("/report")
    page.click("[name=scope][value='']")
    _stand_still(page)
    page.click("#report [type=submit]")
    page.wait_for_text("Your denial will be sent in five seconds")
    page.open(f"{server.url}/settings")
    until(lambda: not person.waiting(), _SECONDS)
    assert agent.poll(handle).json()["deny_code"] == "suspicious"


def test_a_live_token_can_be_revoked_from_the_outcome_page(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The button appears when the agent collects the token, and is disabled when it expires."""
    handle = agent.request_approval(person.user)
    asked = person.approve(person.only_request())
    page.open(f"{server.url}/done/{asked.id}")
    page.wait_for_text("The agent has not collected the token yet.")
    assert agent.poll(handle).status_code == 200
    page.wait_for_text("Revoke now")
    page.see("/[(]4 min [0-9]+ s left[)]/.test(document.body.innerText)")
    page.later(310)
    page.wait_for_text("(expired)")
    page.see(_INERT.format("#token button"))


def test_a_page_disables_buttons_for_rights_revoked_elsewhere(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The page also says that something changed."""
    handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    assert agent.poll(handle).status_code == 200
    page.open(f"{server.url}/delegations")
    page.see("document.querySelector('main form button') !== null")
    delegation_id = page.ask(
        "document.querySelector('main form').getAttribute('action').split('/')[2]"
    )
    person.client.revoke_delegation(delegation_id)
    page.wait_for_text("Something changed. Show")
    page.see(_INERT.format("main li button"))


@pytest.mark.parametrize("what", ["request", "delegations"])
def test_a_proxys_response_is_not_treated_as_the_servers(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent, what: str
) -> None:
    """While a proxy returns 502, the page is offline; it recovers with the server."""
    handle = agent.request_approval(person.user)
    if what == "delegations":
        person.approve(person.only_request())
        assert agent.poll(handle).status_code == 200
    path = "/delegations" if what == "delegations" else f"/r/{person.only_request().id}"
    presses = "main form button" if what == "delegations" else "#to-deny"
    page.open(f"{server.url}{path}")
    page.see(f"document.querySelector('{presses}') !== null")
    page.see(f"!{_INERT.format(presses)}")
    server.stop()
    try:
        with _in_its_place(server.port):
            page.wait_for_text("Not connected. Last updated")
            page.see(_INERT.format(presses))
    finally:
        server.start()
    page.see("document.getElementById('offline').hidden")
    page.see(f"!{_INERT.format(presses)}")


class _BadGateway(BaseHTTPRequestHandler):
    """A proxy whose server is down."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self) -> None:
        self.send_response(502)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>502 Bad Gateway</h1>")

    do_GET = do_POST = _answer  # noqa: N815  # http.server's names


@contextmanager
def _in_its_place(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), _BadGateway) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield
        proxy.shutdown()


def _stand_still(page: Chromium) -> None:
    """Stop the clock of this page, so that the five seconds before a denial is sent never pass."""
    page.ask("{ const now = Date.now(); Date.now = () => now }")


def _shown_lines(page: Chromium) -> list[str]:
    return heard(page).announcements()


def _new(page: Chromium, before: list[str], words: str, most: int = 60) -> bool:
    """Return whether the page announces these words, with at most this many seconds."""
    line_found = [line for line in _shown_lines(page) if line not in before and words in line]
    numbers = [int(line.split()[0]) for line in line_found if line[0].isdigit()]
    return bool(line_found) and all(number <= most for number in numbers)


def _text(at: int) -> str:
    return f"new Date({at}).toISOString()"
