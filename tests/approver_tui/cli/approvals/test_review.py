"""The line mode, for screen readers and logs."""

import io
import os
import re
import signal
import sys
from contextlib import contextmanager

import pexpect
import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import when, wire_approval
from tests.support.clients.pty_app import leave, suspend
from tests.support.fakes.fake_server import CODE

AT_LIST = "Number, list, wait, history, help or quit:"
AT_REQUEST = "approve, deny, report, skip, list, help or quit:"


def typed(*words):
    """What a pipe says."""
    return "".join(f"{word}\n" for word in words)


def test_a_request_is_printed_in_the_order_of_the_screens(logged_in, server):
    """Risk, headline, facts, unusual, undo, agent, why, message, grants, expiry."""
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
            "may use:",
        ),
        *("undo:", "agent:", "asked:", "why you:", "agent says (not verified):", "grants:"),
        *("expires in", "Expiring isn't a denial", "fingerprint:"),
    ]
    places = [shown.index(each) for each in order]
    assert places == sorted(places)


def test_a_pipe_can_read_but_not_approve(logged_in, server):
    """Exit 5, as for `approve` without a terminal, and no attempt is counted."""
    asked = server.add()
    tries = list(server.pin_calls)
    done = logged_in("review", "--plain", stdin=typed("1", "again", "raw", "approve", PIN))
    assert done.code == Exit.NOT_ALLOWED
    assert asked["action_digest"] in done.out
    assert (server.pin_calls, asked["state"]) == (tries, "pending")


def test_no_single_key_answers(logged_in, server):
    """Single letters, and words that confirm other questions, are not commands."""
    asked = server.add()
    keys = ["a", "y", "yes", "d", "!", "1", "ok", "approve please", "Approve"]
    done = logged_in("review", asked["id"], "--plain", stdin=typed(*keys))
    assert done.code == 0
    assert done.out.count("That is not a command") == len(keys)
    assert asked["state"] == "pending"


def test_a_denial_needs_a_reason_and_a_confirmation(logged_in, server):
    """Nothing is sent before the confirmation; then the next request is shown."""
    first, second = server.add(), server.add()
    words = ["1", "deny", "", "deny", "nonsense", "too_broad", "ask for less", "", "no"]
    done = logged_in("review", "--plain", stdin=typed(*words))
    assert done.out.count("Nothing was sent.") == 2
    assert first["state"] == "pending"
    words = ["1", "deny", "too_broad", "ask for less", "", "deny", "quit"]
    done = logged_in("review", "--plain", stdin=typed(*words))
    assert (first["state"], first["decided"]["code"]) == ("denied", "too_broad")
    assert first["decided"]["note"] == "ask for less"
    assert "Denied: Pay EUR" in done.out
    assert f"id:            {second['id']}" in done.out


def test_wait_until_asks_for_a_duration_or_a_time(logged_in, server):
    """An invalid one is asked for again; Enter gives none."""
    hour, named, none = server.add(), server.add(), server.add()
    at = "2031-02-03T04:05:06Z"
    for asked, until in ((hour, "1h"), (named, at), (none, "")):
        words = ["deny", "wait_until", "soon", until, "later", "", "deny", "quit"]
        done = logged_in("review", asked["id"], "--plain", stdin=typed(*words))
        assert "Not a valid time: use 15m, 1h, 1d, or a time with its zone" in done.out
        assert asked["decided"]["note"] == "later"
    assert hour["retry_at"] > when(server.now() + 50 * 60_000)
    assert named["retry_at"].startswith("2031-02-03T04:05:06")
    assert none["retry_at"] is None


def test_ask_other_asks_for_a_name(logged_in, server):
    """Enter leaves the name empty."""
    bob, nobody = server.add(), server.add()
    for asked, whom in ((bob, "bob"), (nobody, "")):
        words = ["deny", "ask_other", whom, "", "", "deny", "quit"]
        logged_in("review", asked["id"], "--plain", stdin=typed(*words))
    assert (bob["ask"], nobody["ask"]) == ("bob", None)
    assert bob["retry_at"] is None


def test_the_private_note_is_a_separate_question(logged_in, server):
    """It is not the note to the agent."""
    asked = server.add()
    words = ["1", "deny", "not_needed", "", "talked to bob", "deny", "quit"]
    logged_in("review", "--plain", stdin=typed(*words))
    assert not asked["decided"]["note"]
    assert asked["private_note"] == "talked to bob"


def test_a_denial_that_is_canceled_sends_nothing(logged_in, server):
    """The result is the same at every question."""
    asked = server.add()
    words = ["1", "deny", "wait_until", "1h", "later", "private"]
    for count in range(2, len(words) + 1):
        done = logged_in("review", "--plain", stdin=typed(*words[:count]))
        assert "Nothing was sent." in done.out
    assert asked["state"] == "pending"


def test_a_report_names_its_scope_and_needs_a_confirmation(logged_in, server):
    """The command `report` asks in the same way."""
    server.add()
    words = ["1", "report", "agent", "", "quit", "report", "agent", "not mine", "report"]
    done = logged_in("review", "--plain", stdin=typed(*words))
    assert server.reports == [{"scope": "agent", "note": "not mine"}]
    assert "invoice-bot is quarantined" in done.out


def test_a_request_keeps_its_number(logged_in, server):
    """A request decided elsewhere is reported as ended and changes no other number."""
    first, second = server.add(), server.add()
    server_side = server.decide_elsewhere
    out = logged_in("review", "--plain", stdin=typed("list", "2", "skip", "1", "list", "3")).out
    assert out.count("Request 2.") == 1
    assert "That was the last one." in out
    assert "That is not a number in the list or a command" in out
    server_side(first["id"])
    out = logged_in("review", first["id"], "--plain", stdin=typed("history")).out
    assert "This request is closed and cannot be answered." in out
    assert "denied by alice on desktop" in out
    assert second["state"] == "pending"


def test_retry_is_a_word_that_must_be_typed(logged_in, server):
    """Enter does not ask the agent, and a decided request does not offer it."""
    lapsed = {"state": "expired", "reason": "expired_unseen", "retry": "possible"}
    asked = server.add(wire_approval(now=server.now(), outer=lapsed))
    out = logged_in("review", "--plain", asked["id"], stdin=typed("", "quit")).out
    assert asked["retry"] == "possible"
    assert "is told" not in out
    out = logged_in("review", "--plain", asked["id"], stdin=typed("retry", "quit")).out
    assert "invoice-bot is asked to retry at its next poll." in out
    assert asked["retry"] == "asked"


def test_a_lost_connection_does_not_end_the_session(logged_in, server):
    """The error and its remedy are printed; nothing can be answered meanwhile."""
    server.add()
    server.faults.drop_request_to |= {"/api/approvals"}
    out = logged_in("review", "--plain", stdin=typed("list", "1", "skip")).out
    assert out.index("Error: The connection to") < out.index("1 request is waiting")


def test_an_unverified_request_is_listed_but_not_shown(logged_in, server):
    """The inbox does the same."""
    asked = server.add()
    asked["display"] = "{}"
    out = logged_in("review", asked["id"], "--plain", stdin=typed("list")).out
    assert "No requests are waiting for your answer." in out
    assert "NOT VERIFIED" in out
    assert "display.v: is missing" in out


@pytest.fixture
def terminal(server, tmp_path, monkeypatch):
    """A machine that is logged in, with a terminal that knows nothing but lines."""
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


def say(child, question, words):
    """Answer a question once it was asked: what comes before counts for nothing."""
    child.expect_exact(question)
    child.sendline(words)


def test_a_dumb_terminal_gets_the_line_mode(server, terminal):
    """TERM=dumb: a hidden PIN approves, and no control character is printed."""
    asked = server.add(wire_approval(risk="high", now=server.now()))
    with terminal([]) as child:
        say(child, AT_LIST, "1")
        say(child, AT_REQUEST, "approve")
        say(child, "PIN: ", "")
        child.expect_exact("Nothing was sent.")
        say(child, AT_REQUEST, "approve")
        say(child, "PIN: ", "wrong " + PIN)
        child.expect_exact("Wrong PIN. Attempts left: 9.")
        say(child, "PIN: ", PIN)
        child.expect_exact("Approved: Pay EUR 4,820.00")
        say(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
        seen = child.logfile_read.getvalue()
    assert asked["state"] == "approved"
    assert PIN not in seen
    assert re.findall(r"[^\n\r -~]", seen) == []


def test_input_typed_ahead_answers_nothing(server, terminal):
    """One line of a paste counts, and the rest is discarded."""
    asked = server.add()
    with terminal(["review", "--plain"]) as child:
        say(child, AT_LIST, f"1\napprove\n{PIN}\ndeny\nnot_needed\n\ndeny")
        say(child, AT_REQUEST, "quit")
        child.expect(pexpect.EOF)
    assert asked["state"] == "pending"


def test_the_question_is_repeated_after_a_suspension(server, terminal):
    """What was typed into the shell meanwhile is not an answer."""
    server.add()
    with terminal(["review", "--plain"]) as child:
        child.expect_exact(AT_LIST)
        suspend(child)
        child.sendline("1")
        child.expect_exact("1\r\n")
        os.kill(child.pid, signal.SIGCONT)
        say(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
        assert "Request 1." not in child.logfile_read.getvalue()


def test_an_answer_without_a_confirmation_is_checked_until_known(server, terminal):
    """No outcome is claimed before the server reports it."""
    asked = server.add(wire_approval(risk="high", now=server.now()))
    with terminal(["review", "--plain"]) as child:
        say(child, AT_LIST, "1")
        say(child, AT_REQUEST, "approve")
        child.expect_exact("PIN: ")
        server.faults.lose_answer_to |= {"/decision"}
        server.faults.drop_request_to |= {str(asked["id"])}
        child.sendline(PIN)
        child.expect_exact("Checking whether your approval was recorded")
        child.expect_exact("Approved: Pay EUR 4,820.00")
        say(child, AT_LIST, "quit")
        child.expect(pexpect.EOF)
    assert asked["state"] == "approved"


def test_look_alikes_share_an_entry_with_all_their_numbers(logged_in, server):
    """Each number opens its own request."""
    for number in (1, 11, 101):
        server.add(wire_approval(number=number, now=server.now()))
    out = logged_in("review", "--plain", stdin=typed("3", "list")).out
    assert "3 requests are waiting for your answer." in out
    assert "   x 3: 1, 2, 3 look alike. Answer each separately.\n" in out
    assert "Request 3." in out
