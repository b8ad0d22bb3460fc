"""A note to the agent, written in the user's editor in a real terminal."""

import shlex
import signal
import sys
from pathlib import Path

from approver_tui.state.approvals.approvals import Approval
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.pty_app import PATIENCE_SECONDS, window
from tests.support.clients.terminal import Terminal

_SCRIPT = """
import pathlib, sys
input("in the editor ")
pathlib.Path(sys.argv[1]).write_text("use the staging\\naccount")
"""


def test_the_editor_takes_over_the_terminal_and_gives_it_back(
    agent: Agent, person: Terminal, tmp_path: Path
) -> None:
    """The note reaches the agent, and the focus returns to the note."""
    script = tmp_path / "editor.py"
    script.write_text(_SCRIPT)
    handle = agent.request_approval(person.user)
    with window(person, EDITOR=shlex.join([sys.executable, str(script)])) as app:
        app.press("d")
        app.wait_for_text("Deny?", "^o opens your editor")
        app.press("2", "\t", "\x0f")
        app.wait_for_text("in the editor")
        app.press("\r")
        app.wait_for_text("use the staging account")
        app.press("\t", "\t", "\r")
        app.wait_for_text("Denied by")
    assert agent.poll(handle).json()["note"] == "use the staging account"


def test_the_app_keeps_working_while_the_editor_is_open(
    agent: Agent, person: Terminal, tmp_path: Path
) -> None:
    """An earlier denial is sent, and a request that ends closes its panel behind the editor."""
    script = tmp_path / "editor.py"
    script.write_text(_SCRIPT)
    agent.request_approval(person.user)
    agent.ask_payment(person.user)
    with window(person, EDITOR=shlex.join([sys.executable, str(script)])) as app:
        app.press("d", "2", "\t\t\t\t", "\r")
        app.wait_for_text("Denying in")
        app.press("j")
        app.child.send("d")
        app.wait_for_text("Deny?")
        app.press("\t", "\x0f")
        app.wait_for_text("in the editor")
        (remaining,) = until(lambda: _only_one(person), PATIENCE_SECONDS)
        person.deny(remaining)
        app.wait_idle(2)  # the app draws several frames that nobody may see
        assert "Already decided" not in app.text
        app.press("\r")
        app.wait_for_text("Already decided.")


def _only_one(person: Terminal) -> list[Approval] | None:
    """Return the waiting requests if exactly one is left."""
    waiting = list(person.client.waiting().items)
    return waiting if len(waiting) == 1 else None


def test_the_editor_ends_with_the_app(agent: Agent, person: Terminal, tmp_path: Path) -> None:
    """A signal to the app ends both, so that the shell gets a usable terminal."""
    script = tmp_path / "editor.py"
    script.write_text(_SCRIPT)
    agent.request_approval(person.user)
    with window(person, EDITOR=shlex.join([sys.executable, str(script)])) as app:
        app.press("d")
        app.wait_for_text("Deny?")
        app.press("2", "\t", "\x0f")
        app.wait_for_text("in the editor")
        app.child.kill(signal.SIGTERM)
        app.rest_of_it()  # the output ends when neither of them has the terminal any more
