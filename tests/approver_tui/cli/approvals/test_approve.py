"""`approve` requires the ID, the fingerprint and the PIN."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import wire_approval


@pytest.fixture
def asked(server):
    """A high-risk request."""
    return server.add(wire_approval(risk="high", now=server.now()))


@pytest.fixture
def fingerprint(logged_in, asked):
    """The fingerprint that a person read."""
    return logged_in("show", asked["id"], "--json").document["fingerprint"]


def test_the_right_pin_approves(logged_in, asked, fingerprint):
    """The document has the outcome."""
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    document = logged_in(*command, stdin=PIN + "\n").document
    assert document["schema"] == "sayso.decision/1"
    assert (document["id"], document["state"]) == (asked["id"], "approved")
    assert document["fingerprint"] == fingerprint
    assert document["decided"]["decision"] == "approve"


def test_a_wrong_fingerprint_changes_nothing(logged_in, server, asked):
    """No PIN attempt is counted."""
    command = ("approve", asked["id"], "--fingerprint", "0000-0000", "--pin-stdin", "--json")
    done = logged_in(*command, stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.CONFLICT, "changed")
    assert (asked["state"], server.pin_calls) == ("pending", ["session"])


def test_a_missing_fingerprint_is_a_usage_error(logged_in, asked):
    """A request that was not read cannot be approved."""
    assert logged_in("approve", asked["id"], "--pin-stdin", stdin=PIN).code == Exit.USAGE


def test_approving_without_a_way_to_ask_for_the_pin_exits_with_5(logged_in, asked, fingerprint):
    """There is no terminal and no --pin-stdin: stderr has one object and nothing changes."""
    done = logged_in("approve", asked["id"], "--fingerprint", fingerprint, "--json", stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.NOT_ALLOWED, "pin_needed")
    assert asked["state"] == "pending"


def test_a_wrong_pin_reports_the_attempts_left(logged_in, asked, fingerprint):
    """It is counted, and a script can read the count."""
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    done = logged_in(*command, stdin="wrong horse")
    assert done.code == Exit.NOT_ALLOWED
    assert (done.error["error"], done.error["left"]) == ("wrong_pin", 9)
    assert asked["state"] == "pending"


def test_a_locked_device_exits_with_15(logged_in, server, asked, fingerprint):
    """The error names the remedy."""
    server.pin_tries = 10
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin")
    done = logged_in(*command, stdin=PIN)
    assert done.code == Exit.LOCKED
    assert "sayso users unlock" in done.err


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("approved", Exit.CONFLICT),
        ("denied", Exit.CONFLICT),
        ("expired", Exit.EXPIRED),
        ("cancelled", Exit.WITHDRAWN),
    ],
)
def test_an_ended_request_has_its_own_exit_code(logged_in, server, asked, fingerprint, state, code):
    """It is detected before a PIN attempt is counted."""
    asked["state"] = state
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    done = logged_in(*command, stdin=PIN)
    assert done.code == code
    assert done.error["approval"] == {"id": asked["id"], "state": state}
    assert server.pin_calls == ["session"]


def test_an_unknown_id_exits_with_3(logged_in):
    """Every command that takes an ID does the same."""
    command = ("approve", "sayso_ap_x", "--fingerprint", "0000-0000", "--pin-stdin")
    assert logged_in(*command, stdin=PIN).code == Exit.NOT_FOUND


def test_an_unreachable_server_exits_with_7(logged_in, server, asked, fingerprint):
    """Unreachable differs from refused."""
    server.stop()
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    assert logged_in(*command, stdin=PIN).error["error"] == "unreachable"


def test_an_impossible_match_number_costs_no_attempt(logged_in, server, asked):
    """It is a usage error; neither the match number nor the PIN is counted."""
    asked["ceremony"] = "match+pin"
    fingerprint = logged_in("show", asked["id"], "--json").document["fingerprint"]
    tries = list(server.pin_calls)
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--match", "5")
    done = logged_in(*command, "--pin-stdin", stdin=PIN)
    assert done.code == Exit.USAGE
    assert "--match: not valid as the match number that the agent shows." in done.err
    assert server.pin_calls == tries


def test_a_locked_request_is_refused_before_the_pin_is_counted(logged_in, server, asked):
    """`show` says that it is locked, and the exit code is 15."""
    asked["tries_left"] = {"type_back": 0}
    shown = logged_in("show", asked["id"])
    assert "LOCKED:" in shown.out
    fingerprint = logged_in("show", asked["id"], "--json").document["fingerprint"]
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    done = logged_in(*command, stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.LOCKED, "request_locked")
    assert server.pin_calls == ["session"]
