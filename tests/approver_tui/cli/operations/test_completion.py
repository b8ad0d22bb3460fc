"""Shell completion of commands and options."""

import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from approver_tui.cli.main import COMPLETION_VARIABLE, VERBS, cli
from tests.support.builders.approval_texts import AGENT, wire_approval


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run, shell):
    """It has the program's name and completion variable."""
    out = run("completion", shell).out
    assert COMPLETION_VARIABLE in out
    assert "sayso-approver" in out


def test_commands_and_options_are_completed():
    """Completion needs no login and no server."""
    assert completed("sayso-approver hi") == ["history"]
    assert "--since" in completed("sayso-approver history --s")
    assert set(completed("sayso-approver ")) == set(VERBS)


def test_settings_and_their_values_are_completed():
    """A value is offered after a name, and a name after a value."""
    assert completed("sayso-approver config set the") == ["theme"]
    assert completed("sayso-approver config set theme no") == ["nord"]
    assert completed("sayso-approver config set theme nord pla") == ["plain"]
    assert completed("sayso-approver config unset the") == ["theme"]
    assert completed("sayso-approver config set nothing no") == [""]


@pytest.mark.usefixtures("logged_in")
def test_ids_and_agents_of_the_last_known_requests_are_completed(server, run):
    """A name that a shell could read as a command is never offered."""
    first = server.add(wire_approval(now=server.now()))["id"]
    run("inbox")
    assert offered("mute", "in") == ["invoice-bot"]
    agent = {"id": AGENT, "name": "x$(id)", "owners": ["alice"], "first_request": False}
    hostile = wire_approval(number=2, now=server.now(), display={"agent": agent})
    server.add(hostile)
    server.approvals.pop(first)
    run("inbox")
    assert offered("show", "") == [hostile["id"]]
    assert offered("approve", hostile["id"][:-1]) == [hostile["id"]]
    assert offered("mute", "") == [AGENT]


def test_without_a_login_no_id_is_completed():
    """The shell shows no error."""
    assert offered("show", "") == []


def offered(verb, typed):
    """Return what this process would offer for the argument of a command."""
    words = ShellComplete(cli, {}, "sayso-approver", COMPLETION_VARIABLE)
    return [completion.value for completion in words.get_completions([verb], typed)]


def completed(line):
    """Return what bash would be offered for the end of a line."""
    words = line.split(" ")
    environment = {
        COMPLETION_VARIABLE: "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-m", "approver_tui"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [row.partition(",")[2] for row in done.stdout.splitlines()]
