"""One terminal, two real servers: each request is shown and answered on its own server."""

import json
import re
from collections.abc import Iterator

import pytest

from approver_tui.client.devices.enrolling import Enrollment, enroll
from approver_tui.client.sign_in.profile import Home
from tests.support.checks.waiting import until
from tests.support.clients.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.clients.pty_app import PATIENCE_SECONDS, Window, window
from tests.support.clients.terminal import PIN, Terminal
from tests.support.servers.server import LiveServer, live_server

DOWN = "\x1b[B"


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A second server."""
    with live_server(tmp_path_factory.mktemp("other"), forked=True) as running:
        yield running


def _ask_at(server: LiveServer, user: str, payee: str) -> tuple[Agent, str]:
    agent = new_agent(server)
    server.closing.callback(agent.http.close)
    details = json.dumps([{**PAYMENT_DETAILS[0], "payee": payee}])
    scope = "openid payments:transfer"
    return agent, agent.request_approval(user, scope=scope, authorization_details=details)


def _go_to(app: Window, words: str) -> None:
    """Switches to a server by its line in the settings."""
    app.press("6")
    app.wait_for_text("[6 Settings]")
    app.wait_idle(1)
    while (before := until(lambda: _selected_name(app), PATIENCE_SECONDS)) != words:
        app.child.send(DOWN)
        until(lambda was=before: _selected_name(app) not in {"", was}, PATIENCE_SECONDS)
    app.press(" ")


def _selected_name(app: Window) -> str:
    """Returns the name in the selected line, or nothing while the cursor moves."""
    line = re.search(r"^ *> (\w+)", app.text, re.MULTILINE)
    return line[1] if line else ""


def _approve(app: Window) -> None:
    app.press("a")
    app.wait_for_text("Approve?")
    app.press("\x1b[6~", "\t", PIN)
    app.wait_for_text("Tab to Approve, then Enter.")
    app.press("\t", "\r")
    app.wait_for_text("Approved by")


def test_the_app_switches_between_servers(
    server: LiveServer, other_server: LiveServer, person: Terminal
) -> None:
    """Requests on the other server are counted but not shown; each decision reaches its server."""
    user, code = other_server.user()
    at_work = enroll(
        Home.in_folder(person.home).with_profile("work"),
        Enrollment(url=other_server.url, code=code, name="laptop", pin=PIN),
        clock=other_server.clock.now,
    )
    at_work.close()
    _ask_at(server, person.user, "Nordwind")
    agent, handle = _ask_at(other_server, user, "Ostwind")
    with window(person) as app:
        app.wait_for_text(f"{person.user}@default", "to Nordwind", "[1 Inbox 1]")
        app.wait_for_text("Waiting elsewhere: 1 at work")
        _go_to(app, "work")
        app.wait_for_text(f"{user}@work", "to Ostwind", "LIVE")
        app.wait_until_gone("Nordwind")
        _approve(app)
        _go_to(app, "default")
        app.wait_for_text(f"{person.user}@default", "to Nordwind", "LIVE")
    assert agent.poll(handle, prefer="wait=5").status_code == 200
    assert len(person.waiting()) == 1


def test_a_second_server_is_added_in_the_app(other_server: LiveServer, person: Terminal) -> None:
    """Leaving the sign-in returns to the previous server, where the user is still signed in."""
    user, code = other_server.user()
    with window(person) as app:
        _go_to(app, "add")
        app.wait_for_text("SAYSO  sign in", "Sign in to another server")
        app.press("\x1b")
        app.wait_for_text(person.user, "LIVE")
        _go_to(app, "add")
        app.wait_for_text("SAYSO  sign in")
        app.press("\x15")  # ctrl+u clears the default address
        app.press(other_server.url, "\t", "2", "\t", code, "\t", "\t", PIN, "\t", PIN, "\t", "\r")
        app.wait_for_text(f"{user}@localhost", "LIVE")
    assert Home.in_folder(person.home).names == ("default", "localhost")
