"""Line mode, for screen readers and logs."""

import io
import os
import re
import signal
import sys
import termios
from contextlib import contextmanager

import pexpect
import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import to_rfc3339, wire_approval
from tests.support.clients.pty_app import leave, suspend
from tests.support.fakes.fake_server import CODE

AT_LIST = "Number, list, wait, history, help or quit:"
AT_REQUEST = "approve, deny, report, skip, list, help or quit:"


def typed(*words):
    """Return the lines that a pipe writes to stdin."""
    return "".join(f"{word}\n" for word in words)


def test_a_request_is_printed_in_the_order_of_the_screens(logged_in, server):
    """The order is risk, headline, facts, unusual, undo, agent, why, message, grants and expiry."""
    server.add(wire_approval(risk="high", now=server.now()))
    out = logged_in("review", "--plain", stdin=typed("1")).out
    shown = out[out.index("Request 1.") :]
    order = [
        *(
            "HIGH RISK: the scope",
            "Pay EUR 4,820.00",
            "Amount:",
            "unusual:",
            "Reference:",
            "scopes:",
        ),
        *("undo:", "agent:", "requested:", "why you:", "agent says (not verified):", "grants:"),
        *("expires in", "Expiring isn't a denial", "fingerprint:"),
    ]
    positions = [shown.index(label) for label in order]
    assert positions == sorted(positions)


def test_a_pipe_can_read_but_not_approve(logged_in, server):
    """Approving through a pipe exits with 5, and no PIN attempt is counted."""
    approval = server.add()
    calls_before = list(server.pin_calls)
    result = logged_in("review", "--plain", stdin=typed("1", "again", "raw", "approve", PIN))
    assert result.code == Exit.NOT_ALLOWED
    assert approval["action_digest"] in result.out
    assert (server.pin_calls, approval["state"]) == (calls_before, "pending")


def test_single_keys_are_not_commands(logged_in, server):
    """Single letters, and words that confirm other questions, are not commands."""
    approval = server.add()
    keys = ["a", "y", "yes", "d", "!", "1", "ok", "approve please", "Approve"]
    result = logged_in("review", approval["id"], "--plain", stdin=typed(*keys))
    assert result.code == 0
    assert result.out.count("That is not a command") == len(keys)
    assert approval["state"] == "pending"


def test_a_denial_needs_a_reason_and_a_confirmation(logged_in, server):
    """No denial is sent before the confirmation. Afterwards the next request is shown."""
    first, second = server.add(), server.add()
    words = ["1", "deny", "", "deny", "nonsense", "too_broad", "ask for less", "", "no"]
    result = logged_in("review", "--plain", stdin=typed(*words))
    assert result.out.count("Nothing was sent.") == 2
    assert first["state"] == "pending"
    words = ["1", "deny", "too_broad", "ask for less", "", "deny", "quit"]
    result = logged_in("review", "--plain", stdin=typed(*words))
    assert (first["state"], first["decided"]["code"]) == ("denied", "too_broad")
    assert first["decided"]["note"] == "ask for less"
    assert "Denied: Pay EUR" in result.out
    assert f"id:            {second['id']}" in result.out


def test_wait_until_asks_for_a_duration_or_a_time(logged_in, server):
    """An invalid time is asked for again. Enter leaves the time empty."""
    in_an_hour, at_a_time, without_a_time = server.add(), server.add(), server.add()
    timestamp = "2031-02-03T04:05:06Z"
    for approval, answer in ((in_an_hour, "1h"), (at_a_time, timestamp), (without_a_time, "")):
        words = ["deny", "wait_until", "soon", answer, "later", "", "deny", "quit"]
        result = logged_in("review", approval["id"], "--plain", stdin=typed(*words))
        assert "Not a valid time: use 15m, 1h, 1d, or a time with its zone" in result.out
        assert approval["decided"]["note"] == "later"
    assert in_an_hour["retry_at"] > to_rfc3339(server.now() + 50 * 60_000)
    assert at_a_time["retry_at"].startswith("2031-02-03T04:05:06")
    assert without_a_time["retry_at"] is None


def test_ask_other_asks_for_a_name(logged_in, server):
    """Enter leaves the name of the other user empty."""
    with_name, without_name = server.add(), server.add()
    for approval, name in ((with_name, "bob"), (without_name, "")):
        words = ["deny", "ask_other", name, "", "", "deny", "quit"]
        logged_in("review", approval["id"], "--plain", stdin=typed(*words))
    assert (with_name["ask"], without_name["ask"]) == ("bob", None)
    assert with_name["retry_at"] is None


def test_the_private_note_is_a_separate_question(logged_in, server):
    """The private note is not part of the note to the agent."""
    approval = server.add()
    words = ["1", "deny", "not_needed", "", "talked to bob", "deny", "quit"]
    logged_in("review", "--plain", stdin=typed(*words))
    assert not approval["decided"]["note"]
    assert approval["private_note"] == "talked to bob"


def test_a_denial_that_is_canceled_sends_nothing(logged_in, server):
    """The user can cancel the denial at every question."""
    approval = server.add()
    words = ["1", "deny", "wait_until", "1h", "later", "private"]
    for count in range(2, len(words) + 1):
        result = logged_in("review", "--plain", stdin=typed(*words[:count]))
        assert "Nothing was sent." in result.out
    assert approval["state"] == "pending"


def test_a_report_names_its_scope_and_needs_a_confirmation(logged_in, server):
    """Line mode asks for the scope, a note and a confirmation, as the `report` command does."""
    server.add()
    words = ["1", "report", "agent", "", "quit", "report", "agent", "not mine", "report"]
    result = logged_in("review", "--plain", stdin=typed(*words))
    assert server.reports == [{"scope": "agent", "note": "not mine"}]
    assert "invoice-bot is quarantined" in result.out


def test_a_request_keeps_its_number(logged_in, server):
    """A request that was decided elsewhere is shown as closed, and no other number changes."""
    first, second = server.add(), server.add()
    out = logged_in("review", "--plain", stdin=typed("list", "2", "skip", "1", "list", "3")).out
    assert out.count("Request 2.") == 1
    assert "That was the last request." in out
    assert "That is not a command or a number from the list" in out
    server.decide_elsewhere(first["id"])
    out = logged_in("review", first["id"], "--plain", stdin=typed("history")).out
    assert "This request is closed and cannot be answered." in out
    assert "denied by alice on desktop" in out
    assert second["state"] == "pending"


def test_retry_is_a_word_that_must_be_typed(logged_in, server):
    """Enter alone does not ask the agent to retry; the user must type `retry`."""
    expired = {"state": "expired", "reason": "expired_unseen", "retry": "possible"}
    approval = server.add(wire_approval(now=server.now(), outer=expired))
    out = logged_in("review", "--plain", approval["id"], stdin=typed("", "quit")).out
    assert approval["retry"] == "possible"
    assert "is asked to retry" not in out
    out = logged_in("review", "--plain", approval["id"], stdin=typed("retry", "quit")).out
    assert "invoice-bot will be asked to retry at its next poll." in out
    assert approval["retry"] == "asked"


def test_a_lost_connection_does_not_end_the_session(logged_in, server):
    """The error is printed first, and the list is printed when the server answers again."""
    server.add()
    server.faults.drop_request_to |= {"/api/approvals"}
    out = logged_in("review", "--plain", stdin=typed("list", "1", "skip")).out
    assert out.index("Error: The connection to") < out.index("1 request is waiting")


def test_an_unverified_request_is_listed_but_not_shown(logged_in, server):
    """Line mode lists an unverified request with its problem only, as `inbox` does."""
    approval = server.add()
    approval["display"] = "{}"
    out = logged_in("review", approval["id"], "--plain", stdin=typed("list")).out
    assert "No requests are waiting for your answer." in out
    assert "NOT VERIFIED" in out
    assert "display.v: is missing" in out


@pytest.fixture
def terminal(server, tmp_path, monkeypatch):
    """Return a function that runs the command in a dumb terminal on a logged-in machine."""
    monkeypatch.setenv("SAYSO_APPROVER_HOME", str(tmp_path / "terminal"))
    monkeypatch.setenv("TERM", "dumb")
    with _run(["login", server.url, "--code", CODE, "--pin-stdin"]) as login:
        login.sendline(PIN)
        login.expect("Logged in")
        login.expect(pexpect.EOF)
    return _run


@contextmanager
def _run(arguments):
    child = pexpect.spawn(
        sys.executable, ["-m", "approver_tui", *arguments], encoding="utf-8", timeout=30
    )
    child.logfile_read = io.StringIO()
    try:
        yield child
    finally:
        leave(child)


def enter(child, question, text):
    """Wait for the question, then answer it."""
    child.expect_exact(question)
    child.sendline(text)


def turn_echo_on(child):
    """Change the terminal's modes as a shell does while it has the terminal."""
    modes = termios.tcgetattr(child.child_fd)
    modes[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(child.child_fd, termios.TCSANOW, modes)


def test_a_dumb_terminal_falls_back_to_line_mode(server, terminal):
    """With TERM=dumb, a hidden PIN approves, and no control character is printed."""
    approval = server.add(wire_approval(risk="high", now=server.now()))
    with terminal([]) as child:
        enter(child, AT_LIST, "1")
        enter(child, AT_REQUEST, "approve")
        enter(child, "PIN: ", "")
        child.expect_exact("Nothing was sent.")
        enter(child, AT_REQUEST, "approve")
        enter(child, "PIN: ", "wrong " + PIN)
        child.expect_exact("Wrong PIN. Attempts left: 9.")
        enter(child, "PIN: ", PIN)
        child.expect_exact("Approved: Pay EUR 4,820.00")
        enter(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
        seen = child.logfile_read.getvalue()
    assert approval["state"] == "approved"
    assert PIN not in seen
    assert re.findall(r"[^\n\r -~]", seen) == []


def test_input_typed_ahead_answers_nothing(server, terminal):
    """Only the first line of a paste is read; the other lines are discarded."""
    approval = server.add()
    with terminal(["review", "--plain"]) as child:
        enter(child, AT_LIST, f"1\napprove\n{PIN}\ndeny\nnot_needed\n\ndeny")
        enter(child, AT_REQUEST, "quit")
        child.expect(pexpect.EOF)
    assert approval["state"] == "pending"


def test_the_question_is_repeated_after_a_suspension(server, terminal):
    """Text typed into the shell during the suspension is not an answer."""
    server.add()
    with terminal(["review", "--plain"]) as child:
        child.expect_exact(AT_LIST)
        suspend(child)
        child.sendline("1")
        child.expect_exact("1\r\n")
        os.kill(child.pid, signal.SIGCONT)
        enter(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
        assert "Request 1." not in child.logfile_read.getvalue()


def test_a_pin_stays_hidden_after_a_suspension(server, terminal):
    """The shell turns the echo on; the program turns it off again and repeats the question."""
    approval = server.add(wire_approval(risk="high", now=server.now()))
    with terminal(["review", "--plain"]) as child:
        enter(child, AT_LIST, "1")
        enter(child, AT_REQUEST, "approve")
        child.expect_exact("PIN: ")
        suspend(child)
        turn_echo_on(child)
        os.kill(child.pid, signal.SIGCONT)
        enter(child, "PIN: ", PIN)
        child.expect_exact("Approved: Pay EUR 4,820.00")
        enter(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
        assert PIN not in child.logfile_read.getvalue()
    assert approval["state"] == "approved"


def test_a_lost_response_is_polled_until_the_outcome_is_known(server, terminal):
    """If the response is lost, no outcome is printed before the server reports one."""
    approval = server.add(wire_approval(risk="high", now=server.now()))
    with terminal(["review", "--plain"]) as child:
        enter(child, AT_LIST, "1")
        enter(child, AT_REQUEST, "approve")
        child.expect_exact("PIN: ")
        server.faults.lose_answer_to |= {"/decision"}
        server.faults.drop_request_to |= {str(approval["id"])}
        child.sendline(PIN)
        child.expect_exact("Checking whether your approval was recorded")
        child.expect_exact("Approved: Pay EUR 4,820.00")
        enter(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
    assert approval["state"] == "approved"


def test_look_alikes_share_an_entry_with_all_their_numbers(logged_in, server):
    """The entry lists the numbers of all look-alikes, and each number opens its own request."""
    for number in (1, 11, 101):
        server.add(wire_approval(number=number, now=server.now()))
    out = logged_in("review", "--plain", stdin=typed("3", "list")).out
    assert "3 requests are waiting for your answer." in out
    assert "   x 3: 1, 2, 3 look alike. Answer each separately.\n" in out
    assert "Request 3." in out
