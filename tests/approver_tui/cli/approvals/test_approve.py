"""A yes from a shell takes the id, the fingerprint and the PIN."""

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
    """The document says what became of it."""
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    document = logged_in(*command, stdin=PIN + "\n").document
    assert document["schema"] == "sayso.decision/1"
    assert (document["id"], document["state"]) == (asked["id"], "approved")
    assert document["fingerprint"] == fingerprint
    assert document["decided"]["decision"] == "approve"


def test_another_fingerprint_changes_nothing(logged_in, server, asked):
    """No PIN try is spent on a request that was not the one that was read."""
    command = ("approve", asked["id"], "--fingerprint", "0000-0000", "--pin-stdin", "--json")
    done = logged_in(*command, stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.CONFLICT, "changed")
    assert (asked["state"], server.pin_calls) == ("pending", ["session"])


def test_without_a_fingerprint_it_is_a_usage_error(logged_in, asked):
    """There is no way to approve what was not read."""
    assert logged_in("approve", asked["id"], "--pin-stdin", stdin=PIN).code == Exit.USAGE


def test_without_a_way_to_ask_for_the_pin_it_is_not_allowed(logged_in, asked, fingerprint):
    """No terminal and no --pin-stdin: exit 5, one object on stderr, nothing changed."""
    done = logged_in("approve", asked["id"], "--fingerprint", fingerprint, "--json", stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.NOT_ALLOWED, "pin_needed")
    assert asked["state"] == "pending"


def test_a_wrong_pin_says_how_many_are_left(logged_in, asked, fingerprint):
    """It is counted, and the script can read the count."""
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    done = logged_in(*command, stdin="wrong horse")
    assert done.code == Exit.NOT_ALLOWED
    assert (done.error["error"], done.error["left"]) == ("wrong_pin", 9)
    assert asked["state"] == "pending"


def test_a_locked_device_is_exit_15(logged_in, server, asked, fingerprint):
    """The remedy is named."""
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
def test_what_is_over_has_an_exit_code_of_its_own(
    logged_in, server, asked, fingerprint, state, code
):
    """Found out before the PIN is spent."""
    asked["state"] = state
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    done = logged_in(*command, stdin=PIN)
    assert done.code == code
    assert done.error["approval"] == {"id": asked["id"], "state": state}
    assert server.pin_calls == ["session"]


def test_an_unknown_id_is_not_found(logged_in):
    """Exit 3, as for every verb that takes an id."""
    command = ("approve", "sayso_ap_x", "--fingerprint", "0000-0000", "--pin-stdin")
    assert logged_in(*command, stdin=PIN).code == Exit.NOT_FOUND


def test_no_server_is_exit_7(logged_in, server, asked, fingerprint):
    """Unreachable is told apart from refused."""
    server.stop()
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    assert logged_in(*command, stdin=PIN).error["error"] == "unreachable"


def test_what_cannot_be_the_number_costs_no_try(logged_in, server, asked):
    """Bad usage: neither the number nor the PIN is counted."""
    asked["ceremony"] = "match+pin"
    fingerprint = logged_in("show", asked["id"], "--json").document["fingerprint"]
    tries = list(server.pin_calls)
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--match", "5")
    done = logged_in(*command, "--pin-stdin", stdin=PIN)
    assert done.code == Exit.USAGE
    assert "--match: not valid as the match number that the agent shows." in done.err
    assert server.pin_calls == tries


def test_a_locked_request_is_refused_before_the_pin_is_counted(logged_in, server, asked):
    """`show` says so, and the exit is that of a lock."""
    asked["tries_left"] = {"type_back": 0}
    shown = logged_in("show", asked["id"])
    assert "LOCKED:" in shown.out
    fingerprint = logged_in("show", asked["id"], "--json").document["fingerprint"]
    command = ("approve", asked["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    done = logged_in(*command, stdin=PIN)
    assert (done.code, done.error["error"]) == (Exit.LOCKED, "request_locked")
    assert server.pin_calls == ["session"]
