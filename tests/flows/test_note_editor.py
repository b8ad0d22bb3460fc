"""A note to the agent, written in the user's editor in a real terminal."""

import shlex
import sys
from pathlib import Path

from tests.support.clients.agent import Agent
from tests.support.clients.pty_app import window
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
