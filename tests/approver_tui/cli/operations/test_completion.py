"""Shell completion of commands and options."""

import subprocess
import sys

import pytest

from approver_tui.cli.main import COMPLETION_VARIABLE, VERBS


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
