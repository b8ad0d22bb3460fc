"""Shell completion of commands and options."""

import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from approver_tui.cli.main import COMPLETION_VARIABLE, VERBS, cli
from tests.support.builders.approval_texts import AGENT, wire_approval


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(run, shell):
    """The script contains the program's name and its completion variable."""
    out = run("completion", shell).out
    assert COMPLETION_VARIABLE in out
    assert "sayso-approver" in out


def test_commands_and_options_are_completed():
    """Completing commands and options needs neither a login nor a server."""
    assert complete_in_bash("sayso-approver hi") == ["history"]
    assert "--since" in complete("history", "--s")
    assert set(complete("")) == set(VERBS)


def test_settings_and_their_values_are_completed():
    """`config set` takes pairs, so names and values are completed alternately."""
    assert complete("config", "set", "the") == ["theme"]
    assert complete("config", "set", "theme", "no") == ["nord"]
    assert complete("config", "set", "theme", "nord", "pla") == ["plain"]
    assert complete("config", "unset", "the") == ["theme"]
    assert complete("config", "set", "nothing", "no") == []


@pytest.mark.usefixtures("logged_in")
def test_ids_and_agents_of_the_last_known_requests_are_completed(server, run):
    """Completion never offers a name that the shell could run as a command."""
    first = server.add(wire_approval(now=server.now()))["id"]
    run("inbox")
    assert complete("mute", "in") == ["invoice-bot"]
    agent = {"id": AGENT, "name": "x$(id)", "owners": ["alice"], "first_request": False}
    hostile = wire_approval(number=2, now=server.now(), display={"agent": agent})
    server.add(hostile)
    server.approvals.pop(first)
    run("inbox")
    assert complete("show", "") == [hostile["id"]]
    assert complete("approve", hostile["id"][:-1]) == [hostile["id"]]
    assert complete("mute", "") == [AGENT]


def test_without_a_login_no_id_is_completed():
    """Without a login, completion offers nothing and prints no error."""
    assert complete("show", "") == []


def complete(*words):
    """Return the completions of the last word after the program's name."""
    shell = ShellComplete(cli, {}, "sayso-approver", COMPLETION_VARIABLE)
    return [completion.value for completion in shell.get_completions(list(words[:-1]), words[-1])]


def complete_in_bash(line):
    """Return the completions that the program prints for bash at the end of a line."""
    words = line.split(" ")
    environment = {
        COMPLETION_VARIABLE: "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "PATH": "/usr/bin:/bin",
    }
    result = subprocess.run(
        [sys.executable, "-m", "approver_tui"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [row.partition(",")[2] for row in result.stdout.splitlines()]
