"""Terminal notifications for a user who looks at another window, in a pseudo-terminal."""

import contextlib
import io
import os
import re
import sys

import pexpect
import pytest

from tests.support.clients import pty_app
from tests.support.clients.terminal import PIN

RING = "Sayso: 1 high-risk request is waiting for you"


@contextlib.contextmanager
def run_program(person, arguments, **environment):
    """Runs `sayso-approver` at this user's terminal and records its output."""
    variables = {k: v for k, v in pty_app.environment(person).items() if k not in ("TMUX", "STY")}
    child = pty_app.OpenedProgram(
        arguments,
        env={**variables, "TERM": "xterm-kitty", **environment},
        dimensions=(30, 100),
        encoding="utf-8",
        timeout=30,
    )
    child.logfile_read = io.StringIO()
    try:
        yield child
    finally:
        pty_app.leave(child)


def test_the_app_notifies_through_the_terminal_with_fixed_words_only(agent, person):
    """A high-risk request rings the bell and sends OSC 99, without any text from the agent."""
    with run_program(person, []) as child:
        child.expect("LIVE")
        agent.ask_payment(person.user, binding_message="OWNED by the agent")
        child.expect_exact(f"\x07\x1b]99;i=sayso;{RING}\x07")
        child.expect("OWNED")
        sequences = re.findall(r"\x1b\][^\x07\x1b]*", child.logfile_read.getvalue())
    assert [
        sequence for sequence in sequences if "OWNED" in sequence or agent.key.name in sequence
    ] == []


def test_the_app_repeats_the_notification_until_a_key_is_pressed(agent, person):
    """A notification is repeated until the user presses any key."""
    with run_program(person, [], SAYSO_APPROVER_NOTIFY_REPEAT="1") as child:
        child.expect("LIVE")
        agent.ask_payment(person.user)
        for _ in range(3):
            child.expect_exact(RING)
        child.send("v")
        child.expect_exact("SHA-256")
        with contextlib.suppress(pexpect.TIMEOUT):  # one may already be on its way
            child.expect_exact(RING, timeout=0.5)
        with pytest.raises(pexpect.TIMEOUT):
            child.expect_exact(RING, timeout=2.5)


def test_watch_notifies_through_tmux_and_keeps_its_output_clean(agent, person, tmp_path):
    """`watch` sends its notification to the terminal and only the events to stdout."""
    command = f"{sys.executable} -m approver_tui watch --jsonl --notify --count 1 > {tmp_path}/out"
    with run_program(person, ["--version"]) as child:
        child.expect(pexpect.EOF)
    variables = {**os.environ, "SAYSO_APPROVER_HOME": str(person.home), "TMUX": "x", "TERM": "tmux"}
    variables |= {"SAYSO_APPROVER_NOTIFY_TERMINAL": "osc9"}
    child = pexpect.spawn("/bin/sh", ["-c", command], env=variables, encoding="utf-8", timeout=30)
    child.expect("live")
    agent.ask_payment(person.user)
    child.expect_exact(f"\x07\x1bPtmux;\x1b\x1b]9;{RING}\x07\x1b\\")
    child.expect(pexpect.EOF)
    child.close()
    assert (tmp_path / "out").read_text().isascii()
    assert "\x1b" not in (tmp_path / "out").read_text()
    assert PIN not in (tmp_path / "out").read_text()
