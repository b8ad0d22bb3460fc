"""The real app over a server that is killed, stopped and started again under it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.protocol.states import State
from tests.support.agent import new_agent
from tests.support.proxy import Proxy, proxy
from tests.support.server import LiveServer, free_port
from tests.support.terminal import PIN, new_person
from tests.support.waiting import until
from tests.support.window import Window, window

LEFT = "\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""The usual screen is back, the cursor shows, the focus is not reported."""


@pytest.fixture(scope="module")
def road() -> Iterator[Proxy]:
    """A road to the server that a test can slow down and cut."""
    with proxy(free_port()) as open_road:
        yield open_road


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, road: Proxy) -> Iterator[LiveServer]:
    """A server whose public address is the road."""
    folder: Path = tmp_path_factory.mktemp("server")
    running = LiveServer(folder, {"issuer": road.url}, port=road.target)
    running.prepare()
    running.start()
    try:
        yield running
    finally:
        running.closing.close()
        running.kill()
        running.services.store.close()


def state(server: LiveServer, approval_id: str) -> State:
    """What the database says."""
    with server.services.store.read() as view:
        found = view.approvals.get(approval_id)
    assert found is not None
    return found.state


def test_a_yes_whose_receipt_is_lost_ends_as_what_the_server_says(
    server: LiveServer, road: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its commit and before the answer arrived: the app asks until it is told."""
    agent, person = new_agent(server), new_person(server, road.url)
    agent.ask_payment(person.user)
    approval = person.only()
    with window(person) as app:
        app.press("a")
        app.shows("APPROVE?")
        app.press("\x1b[6~", "\t", PIN)
        app.shows("Tab to Approve, then Enter.")
        app.press("\t")
        monkeypatch.setattr(
            road, "lets_back", lambda: state(server, approval.id) is not State.APPROVED
        )
        app.press("\r")
        until(lambda: state(server, approval.id) is State.APPROVED, 30)
        server.kill()
        app.shows("Not known yet, checking")
        assert "Approved by" not in app.text
        monkeypatch.undo()
        server.start()
        app.shows("Approved by", "LIVE")
        app.hides("Not known")


def test_a_no_that_never_arrived_is_not_claimed(server: LiveServer, road: Proxy) -> None:
    """The road took it, the server was gone: unknown until the server says that it waits."""
    agent, person = new_agent(server), new_person(server, road.url)
    agent.ask_payment(person.user)
    approval = person.only()
    with window(person) as app:
        app.press("d")
        app.shows("DENY?")
        app.press("1", "\r")
        app.shows("Denying in")
        server.kill()
        road.cut()
        app.shows("OFFLINE", "Not known yet, checking")
        server.start()
        app.shows("Your answer has not reached the server. The request still waits.")
        assert state(server, approval.id) is State.PENDING


def test_a_denial_in_its_five_seconds_outlives_its_terminal(
    server: LiveServer, road: Proxy
) -> None:
    """Said, and then the window was closed: it is sent without the rest of the five seconds."""
    agent, person = new_agent(server), new_person(server, road.url)
    agent.ask_payment(person.user)
    approval = person.only()
    with window(person) as app:
        app.press("d")
        app.shows("DENY?")
        app.press("1", "\r")
        app.shows("Denying in")
        app.hang_up()
        until(lambda: state(server, approval.id) is State.DENIED, 30)


def test_the_app_ends_with_its_terminal_whatever_it_was_drawing(
    server: LiveServer, road: Proxy
) -> None:
    """Its window is closed: no process is left behind that waits to write to it."""
    person = new_person(server, road.url)
    for _ in range(8):  # it happened to about every third
        app = Window(person)
        app.shows("LIVE")
        app.leave()


def test_a_denial_in_its_five_seconds_is_sent_when_the_program_is_ended(
    server: LiveServer, road: Proxy
) -> None:
    """By `kill`, or with the machine; the terminal is then as it was before."""
    agent, person = new_agent(server), new_person(server, road.url)
    agent.ask_payment(person.user)
    approval = person.only()
    with window(person) as app:
        app.press("d")
        app.shows("DENY?")
        app.press("1", "\r")
        app.shows("Denying in")
        app.child.kill(signal.SIGTERM)
        drawn = app.rest_of_it()
        assert LEFT in drawn
        assert state(server, approval.id) is State.DENIED


def test_the_app_outlives_its_server_and_shows_how_old_it_is(
    server: LiveServer, road: Proxy
) -> None:
    """No answer while it is gone; back again, all that was asked meanwhile is there."""
    agent, person = new_agent(server), new_person(server, road.url)
    agent.ask_payment(person.user)
    with window(person) as app:
        app.shows("Nordwind")
        server.kill()
        road.cut()
        app.shows("OFFLINE", "old, answers are off")
        app.press("a")
        app.shows("Approve is off: there is no connection")
        server.start()
        agent.ask(person.user)
        app.shows("LIVE", "payments:read")
        app.hides("answers are off")


def test_a_stopped_app_drops_what_was_typed_and_catches_up(server: LiveServer, road: Proxy) -> None:
    """SIGSTOP for as long as it takes to be missed; keys typed meanwhile decide nothing."""
    agent, person = new_agent(server), new_person(server, road.url)
    agent.ask(person.user)
    with window(person) as app:
        app.shows("payments:read")
        app.suspend()
        app.rest(11)
        agent.ask_payment(person.user)
        app.child.send("a\t\ry")
        app.go_on()
        app.shows("LIVE", "Pay EUR 4,820.00")
        assert "APPROVE?" not in app.text
    assert [approval.state.value for approval in person.waiting()] == ["pending"] * 2
