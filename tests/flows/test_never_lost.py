"""The real app while its server is killed, stopped and restarted."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from approver_tui.state.approvals.approvals import ApprovalState
from server.protocol.approvals.states import State
from tests.support.checks.waiting import until
from tests.support.clients.agent import new_agent
from tests.support.clients.pty_app import Window, environment, window
from tests.support.clients.terminal import PIN, new_person
from tests.support.fakes.proxy import Proxy, proxy
from tests.support.servers.ports import free_port
from tests.support.servers.server import LiveServer

LEFT = "\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""Restores the usual screen, shows the cursor and stops reporting the focus."""


@pytest.fixture(scope="module")
def network() -> Iterator[Proxy]:
    """A network path to the server that a test can slow down and cut."""
    with proxy(free_port()) as open_proxy:
        yield open_proxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, network: Proxy) -> Iterator[LiveServer]:
    """A server whose public address is that network path."""
    folder: Path = tmp_path_factory.mktemp("server")
    running = LiveServer(folder, {"issuer": network.url}, forked=True, port=network.target)
    running.prepare()
    running.start()
    try:
        yield running
    finally:
        running.closing.close()
        running.kill()
        running.services.store.close()


def state(server: LiveServer, approval_id: str) -> State:
    """Returns the state of a request in the database."""
    with server.services.store.read() as view:
        approval = view.approvals.get(approval_id)
    assert approval is not None
    return approval.state


def test_an_approval_without_a_receipt_shows_the_servers_result(
    server: LiveServer, network: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is killed after its commit and before its answer; the app asks for the result."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    approval = person.only_request()
    with window(person) as app:
        app.press("a")
        app.wait_for_text("Approve?")
        app.press("\x1b[6~", "\t", PIN)
        app.wait_for_text("Tab to Approve, then Enter.")
        app.press("\t")
        monkeypatch.setattr(
            network, "lets_back", lambda: state(server, approval.id) is not State.APPROVED
        )
        app.press("\r")
        until(lambda: state(server, approval.id) is State.APPROVED, 30)
        server.kill()
        app.wait_for_text("Checking whether your approval was recorded")
        assert "Approved by" not in app.text
        monkeypatch.undo()
        server.start()
        app.wait_for_text("Approved by", "LIVE")
        app.wait_until_gone("Checking whether")


def test_a_denial_that_never_arrived_is_sent_again(server: LiveServer, network: Proxy) -> None:
    """The app shows the denial as unconfirmed until the server is back and accepts it."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    approval = person.only_request()
    with window(person) as app:
        app.press("d")
        app.wait_for_text("Deny?")
        app.press("1", "\r")
        app.wait_for_text("Denying in")
        server.kill()
        network.cut()
        app.wait_for_text("OFFLINE", "Checking whether your denial was recorded")
        assert state(server, approval.id) is State.PENDING
        server.start()
        app.wait_for_text("Denied by", "LIVE")
        assert state(server, approval.id) is State.DENIED


@pytest.mark.parametrize("verb", ["approval", "denial"])
def test_an_answer_to_a_stopped_server_is_shown_as_being_checked(
    server: LiveServer,
    network: Proxy,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
) -> None:
    """While the server is stopped, the app shows only that it is checking, and no result."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    approval, decided = (
        person.only_request(),
        State.APPROVED if verb == "approval" else State.DENIED,
    )
    monkeypatch.setattr(
        network, "on_way_there", lambda piece: b"/decision" in piece and server.suspend()
    )
    with window(person) as app:
        if verb == "approval":
            app.press("a")
            app.wait_for_text("Approve?")
            app.press("\x1b[6~", "\t", PIN)
            app.wait_for_text("Tab to Approve, then Enter.")
            app.press("\t", "\r")
        else:
            app.press("d")
            app.wait_for_text("Deny?")
            app.press("1", "\r")
        screen_text = ""
        while f"Checking whether your {verb} was recorded" not in screen_text:
            screen_text = app.text
            assert "not recorded" not in screen_text
            assert "Not sent" not in screen_text
            assert "ed by" not in screen_text
        monkeypatch.undo()
        server.go_on()
        while f"{decided.capitalize()} by" not in (screen_text := app.text):
            assert "not recorded" not in screen_text
            assert "Not sent" not in screen_text
        assert state(server, approval.id) is decided


def test_an_answer_in_transit_is_not_reported_as_missing(
    server: LiveServer, network: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server still shows the request as pending, but the denial may only be delayed."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    approval, released = person.only_request(), threading.Event()
    sent_items: list[bytes] = []

    def hold_the_first(piece: bytes) -> None:
        if b"/decision" in piece:
            sent_items.append(piece)
            if len(sent_items) == 1:
                released.wait(60)

    monkeypatch.setattr(network, "on_way_there", hold_the_first)
    with window(person) as app:
        app.press("d")
        app.wait_for_text("Deny?")
        app.press("1", "\r")
        while "Denied by" not in (screen_text := app.text):
            assert "not recorded" not in screen_text
            assert "Not sent" not in screen_text
        assert len(sent_items) == 2
        released.set()
        assert state(server, approval.id) is State.DENIED
        assert [item.state for item in person.client.list_decided().items] == [ApprovalState.DENIED]


def test_a_denial_within_its_five_seconds_survives_a_closed_window(
    server: LiveServer, network: Proxy
) -> None:
    """When the window is closed, the denial is sent without waiting for the five seconds to end."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    approval = person.only_request()
    with window(person) as app:
        app.press("d")
        app.wait_for_text("Deny?")
        app.press("1", "\r")
        app.wait_for_text("Denying in")
        app.hang_up()
        until(lambda: state(server, approval.id) is State.DENIED, 30)


def test_the_app_exits_with_its_terminal(server: LiveServer, network: Proxy) -> None:
    """When the app's window is closed, its process ends."""
    person = new_person(server, network.url)
    for _ in range(8):  # with the bug, about every third process kept running
        app = Window(person, started=True)
        app.wait_for_text("LIVE")
        app.leave()


def test_a_denial_in_its_five_seconds_is_sent_when_the_app_is_terminated(
    server: LiveServer, network: Proxy
) -> None:
    """SIGTERM, as at a shutdown, sends the denial and restores the terminal."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    approval = person.only_request()
    with window(person) as app:
        app.press("d")
        app.wait_for_text("Deny?")
        app.press("1", "\r")
        app.wait_for_text("Denying in")
        app.child.kill(signal.SIGTERM)
        remaining = app.rest_of_it()
        assert LEFT in remaining
        assert state(server, approval.id) is State.DENIED


def test_the_app_survives_its_server_and_shows_the_age_of_its_data(
    server: LiveServer, network: Proxy
) -> None:
    """Nothing can be approved offline, and new requests appear after the reconnection."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    with window(person) as app:
        app.wait_for_text("Nordwind")
        server.kill()
        network.cut()
        app.wait_for_text("OFFLINE", "old, you can't answer now")
        app.press("a")
        app.wait_for_text("Approve unavailable: no connection")
        server.start()
        agent.ask(person.user)
        app.wait_for_text("LIVE", "payments:read")
        app.wait_until_gone("you can't answer now")


def test_a_stopped_app_drops_typed_keys_and_catches_up(server: LiveServer, network: Proxy) -> None:
    """Keys typed while the app is stopped decide nothing, and it shows what it missed."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask(person.user)
    with window(person) as app:
        app.wait_for_text("payments:read")
        app.suspend()
        app.wait_idle(11)
        agent.ask_payment(person.user)
        app.child.send("a\t\ry")
        app.go_on()
        app.wait_for_text("LIVE", "Pay EUR 4,820.00")
        assert "Approve?" not in app.text
    assert [approval.state.value for approval in person.waiting()] == ["pending"] * 2


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_command_to_a_stopped_server_reports_that_it_checks(
    server: LiveServer, network: Proxy, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The command says on stderr that it is checking, then prints the result and exits with 0."""
    agent, person = new_agent(server), new_person(server, network.url)
    agent.ask_payment(person.user)
    pending = person.only_request()
    monkeypatch.setattr(
        network, "on_way_there", lambda piece: b"/decision" in piece and server.suspend()
    )
    options = {
        "approve": ("--fingerprint", pending.fingerprint, "--pin-stdin"),
        "deny": ("--code", "not_needed"),
    }
    command = [sys.executable, "-m", "approver_tui", verb, pending.id, *options[verb]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(command, env=environment(person), text=True, **pipes)
    assert child.stdin is not None
    assert child.stderr is not None
    child.stdin.write(f"{PIN}\n")
    child.stdin.flush()
    while "Checking whether your" not in (line := child.stderr.readline()):
        assert line
        assert "Error" not in line
    assert child.poll() is None
    monkeypatch.undo()
    server.go_on()
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert out.startswith("Approved: " if verb == "approve" else "Denied: ")
    assert "Error" not in err
