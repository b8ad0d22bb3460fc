"""Keys that arrive in one read go where they would go if typed slowly.

A slow connection or a password manager delivers many keys at once. No part of a PIN may end in a
field that shows what is typed.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from approver_tui.state.approvals.approvals import Approval
from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.pty_app import OpenedProgram, Window, environment, leave, window
from tests.support.clients.terminal import PIN, Terminal
from tests.support.servers.server import BY, LiveServer

SIZE = (80, 24)
RIGHT = "4820"
DOTS = "•" * len(PIN)


def _burst(app: Window, text: str) -> None:
    """Writes all keys in one write, after a second without a key."""
    app.wait_idle(1.0)
    os.write(app.child.child_fd, text.encode())


def _state(server: LiveServer, approval_id: str) -> State:
    with server.services.store.read() as view:
        approval = view.approvals.get(approval_id)
    assert approval is not None
    return approval.state


def _row(app: Window, words: str) -> int:
    """Returns the index of the row that contains these words."""
    return next(index for index, row in enumerate(app.text.splitlines()) if words in row)


@pytest.fixture
def asked(server: LiveServer, agent: Agent, person: Terminal) -> Iterator[Approval]:
    """A payment whose amount the user must type back."""
    actions = ActionTypes(server.services.store)
    actions.update(json.dumps({**PAYMENT, "type_back": {"fact": "/amount"}}), by=BY)
    agent.ask_payment(person.user)
    yield person.only_request()
    actions.update(json.dumps(PAYMENT), by=BY)


@pytest.mark.usefixtures("asked")
def test_a_burst_of_type_back_and_pin_fills_both_fields(person: Terminal) -> None:
    """The first part fills the visible type-back field, and the PIN fills the hidden one."""
    with window(person, size=SIZE) as app:
        app.press("a")
        app.wait_for_text("Approve?")
        _burst(app, f"\x1b[6~\t{RIGHT}\t{PIN}")
        app.wait_for_text(DOTS)
        assert RIGHT in app.text
        assert PIN not in app.text


@pytest.mark.usefixtures("asked")
def test_a_burst_on_a_busy_machine_fills_both_fields(person: Terminal) -> None:
    """The fields are right even if the app is stopped while the keys arrive on a busy machine."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        with window(person, size=SIZE) as app:
            app.press("a")
            app.wait_for_text("Approve?")
            app.wait_idle(1.0)
            app.suspend()
            os.write(app.child.child_fd, f"\x1b[6~\t{RIGHT}\t{PIN}".encode())
            app.go_on()
            app.wait_for_text(DOTS)
            assert RIGHT in app.text
            assert PIN not in app.text
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_keys_after_the_one_that_opens_a_panel_are_dropped(
    server: LiveServer, person: Terminal, asked: Approval
) -> None:
    """Keys typed before the panel was visible do not reach any field or decide anything."""
    with window(person, size=SIZE) as app:
        _burst(app, f"a\x1b[6~\t{RIGHT}\t{PIN}\t\r")
        app.wait_for_text("Approve?", "> Back <")
        app.wait_idle(1.0)
        assert PIN not in app.text
        assert DOTS not in app.text
        assert _state(server, asked.id) is State.PENDING


def test_a_burst_that_ends_with_the_button_approves(
    server: LiveServer, person: Terminal, asked: Approval
) -> None:
    """One burst of keys can approve if the facts were visible long enough before it."""
    with window(person, size=SIZE) as app:
        app.press("a", "\x1b[6~")
        app.wait_idle(3.0)
        _burst(app, f"\t{RIGHT}\t{PIN}\t\r")
        until(lambda: _state(server, asked.id) is State.APPROVED, 30)


def test_a_burst_of_number_type_back_reason_and_pin_fills_all_fields(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """One burst fills every field that a critical request has, in the order of the fields."""
    document = {**PAYMENT, "risk": "critical", "type_back": {"fact": "/amount"}}
    ActionTypes(server.services.store).update(json.dumps(document), by=BY)
    agents = Agents(server.services.store, server.services.secrets)
    agents.update(agent.key.id, AgentChanges(interactive=True), by=BY)
    number = agent.ask_payment(person.user).json()["match_code"]
    with window(person, size=(80, 40)) as app:
        app.press("a")
        app.wait_for_text("Approve?", "Reason")
        _burst(app, f"\t{number}\t{RIGHT}\tIt is on the list.\t{PIN}")
        app.wait_for_text(DOTS)
        rows = app.text.splitlines()
        assert number in rows[_row(app, "Match number ")]
        assert RIGHT in rows[_row(app, "Match number ") + 1]
        assert "It is on the list." in rows[_row(app, "Reason ")]
        assert DOTS in rows[_row(app, "PIN ")]
        assert PIN not in app.text


@pytest.mark.usefixtures("asked")
def test_a_burst_of_denial_notes_fills_both_fields(person: Terminal) -> None:
    """The note to the agent and the private note do not run into each other."""
    with window(person, size=SIZE) as app:
        app.press("d")
        app.wait_for_text("Deny?")
        _burst(app, "1\ttold to it\tkept here")
        app.wait_for_text("kept here")
        assert _row(app, "kept here") == _row(app, "Private note") + 1
        app.press("\x1b[Z")
        app.wait_for_text("told to it")
        assert _row(app, "told to it") == _row(app, "Note to the agent") + 1


@pytest.mark.usefixtures("asked")
def test_a_burst_of_a_report_choice_and_note_fills_both(person: Terminal) -> None:
    """Digits in the note do not change the choice that was typed before it."""
    with window(person, size=SIZE) as app:
        app.press("!")
        app.wait_for_text("Report?")
        _burst(app, "2\t1 and 2 are not mine")
        app.wait_for_text("1 and 2 are not mine", "> 2 ")


def test_a_burst_of_standing_grant_limits_fills_their_fields(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """One burst fills the duration, the number of uses and the total amount."""
    document = {**PAYMENT, "risk": "low", "amount": "/amount", "target": "/payee"}
    ActionTypes(server.services.store).update(json.dumps(document), by=BY)
    agent.ask_payment(person.user)
    with window(person, size=SIZE) as app:
        app.press("s")
        app.wait_for_text("Similar?", "> Back <")
        _burst(app, "\t2\t3\t9000\t")
        app.wait_for_text("9000", "> 2 1 hour")
        rows = app.text.splitlines()
        assert " 3 " in rows[_row(app, "Max uses ")]
        assert "9000" in rows[_row(app, "Total amount ")]


def test_a_burst_of_both_sign_in_pins_fills_their_fields(server: LiveServer) -> None:
    """One burst of all fields, with the PIN twice, signs a user in with a code."""
    user, code = server.user()
    new_user = Terminal(user, None, None, server.folder / f"burst-{user}")  # type: ignore[arg-type]  # not yet enrolled
    app = Window(new_user, size=SIZE)
    try:
        app.wait_for_text("SAYSO  sign in", "You are not logged in on this machine.")
        _burst(app, f"\x15{server.url}\t2\t{code}\t\t{PIN}\t{PIN}\t\r")
        app.wait_for_text("LIVE")
    finally:
        app.leave()


def _at_a_prompt(home: Path, words: str, typed: str, *arguments: str) -> str:
    """Types everything at a command's first prompt and returns what the terminal showed."""
    user = Terminal("", None, None, home)  # type: ignore[arg-type]  # its home alone
    child = OpenedProgram(arguments, environment(user), (24, 80), timeout=60)
    try:
        child.logfile_read = screen_output = io.BytesIO()
        child.expect_exact(words)
        os.write(child.child_fd, typed.encode())
        child.expect(pexpect.EOF)
        assert child.wait() == 0, screen_output.getvalue()
        return screen_output.getvalue().decode()
    finally:
        leave(child)


def test_both_pins_of_a_command_line_sign_in_are_read_and_not_shown(server: LiveServer) -> None:
    """A PIN that is typed before its prompt appears is read and not echoed."""
    user, code = server.user()
    arguments = ("login", server.url, "--code", code, "--name", "laptop")
    screen_output = _at_a_prompt(
        server.folder / f"plain-{user}", "not shown): ", f"{PIN}\n{PIN}\n", *arguments
    )
    assert "Logged in to" in screen_output
    assert PIN not in screen_output


def test_type_back_and_pin_of_a_command_line_approval_are_read_in_order(
    server: LiveServer, person: Terminal, asked: Approval
) -> None:
    """The terminal echoes the type-back and does not echo the PIN."""
    arguments = ("approve", asked.id, "--fingerprint", asked.fingerprint)
    screen_output = _at_a_prompt(person.home, "to go back: ", f"{RIGHT}\n{PIN}\n", *arguments)
    assert f"to go back: {RIGHT}" in screen_output
    assert PIN not in screen_output
    assert _state(server, asked.id) is State.APPROVED
