"""`approve` requires the ID, the fingerprint and the PIN."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import wire_approval


@pytest.fixture
def approval(server):
    """A high-risk request."""
    return server.add(wire_approval(risk="high", now=server.now()))


@pytest.fixture
def fingerprint(logged_in, approval):
    """Return the fingerprint that `show` prints for the request."""
    return logged_in("show", approval["id"], "--json").document["fingerprint"]


@pytest.fixture
def approve(logged_in, approval, fingerprint):
    """Return a function that approves the request with JSON output, and with the right PIN."""

    def run(*options, stdin=PIN):
        command = ("approve", approval["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
        return logged_in(*command, *options, stdin=stdin)

    return run


def test_the_right_pin_approves(approve, approval, fingerprint):
    """With the right PIN the request is approved, and the document reports the outcome."""
    document = approve(stdin=PIN + "\n").document
    assert document["schema"] == "sayso.decision/1"
    assert (document["id"], document["state"]) == (approval["id"], "approved")
    assert document["fingerprint"] == fingerprint
    assert document["decided"]["decision"] == "approve"


def test_a_byte_order_mark_is_not_part_of_the_pin(approve):
    """PowerShell writes it before text that it pipes. The PIN uses no attempt."""
    result = approve(stdin=f"\ufeff{PIN}\r\n")
    assert (result.code, result.document["state"]) == (0, "approved"), result.err


def test_a_wrong_fingerprint_changes_nothing(logged_in, server, approval):
    """A wrong fingerprint is a conflict, and it is detected before a PIN attempt is counted."""
    command = ("approve", approval["id"], "--fingerprint", "0000-0000", "--pin-stdin", "--json")
    result = logged_in(*command, stdin=PIN)
    assert (result.code, result.error["error"]) == (Exit.CONFLICT, "changed")
    assert (approval["state"], server.pin_calls) == ("pending", ["session"])


def test_a_missing_fingerprint_is_a_usage_error(logged_in, approval):
    """`approve` requires --fingerprint, so that nobody approves a request without reading it."""
    assert logged_in("approve", approval["id"], "--pin-stdin", stdin=PIN).code == Exit.USAGE


def test_approving_without_a_way_to_ask_for_the_pin_exits_with_5(logged_in, approval, fingerprint):
    """With neither a terminal nor --pin-stdin, stderr has one error object. Nothing changes."""
    result = logged_in("approve", approval["id"], "--fingerprint", fingerprint, "--json", stdin=PIN)
    assert (result.code, result.error["error"]) == (Exit.NOT_ALLOWED, "pin_needed")
    assert approval["state"] == "pending"


def test_a_fact_cannot_be_narrowed_twice(approve, approval, server):
    """Without a rule for which value counts, the command refuses and costs no PIN attempt."""
    result = approve("--narrow", "amount=5", "--narrow", "1:/amount=4")
    assert (result.code, result.error["detail"]) == (
        Exit.USAGE,
        "--narrow: each fact can appear only once.",
    )
    assert server.pin_calls == ["session"]
    assert approval["state"] == "pending"


def test_a_wrong_pin_reports_the_attempts_left(approve, approval):
    """A wrong PIN counts as an attempt, and the JSON error has the number of attempts left."""
    result = approve(stdin="wrong horse")
    assert result.code == Exit.NOT_ALLOWED
    assert (result.error["error"], result.error["left"]) == ("wrong_pin", 9)
    assert approval["state"] == "pending"


def test_an_impossible_pin_costs_no_attempt(approve, approval, server):
    """An empty variable in a script must not lock the device after ten runs."""
    result = approve(stdin="")
    assert (result.code, result.error["error"]) == (Exit.USAGE, "bad_pin")
    assert server.pin_calls == ["session"]
    assert approval["state"] == "pending"


def test_a_locked_device_exits_with_15(approve, server):
    """The error for a locked device names the command that unlocks it."""
    server.pin_tries = 10
    result = approve()
    assert result.code == Exit.LOCKED
    assert "sayso users unlock" in result.error["next"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("approved", Exit.CONFLICT),
        ("denied", Exit.CONFLICT),
        ("expired", Exit.EXPIRED),
        ("cancelled", Exit.WITHDRAWN),
    ],
)
def test_an_ended_request_has_its_own_exit_code(approve, server, approval, state, code):
    """The exit code says how the request ended, and no PIN attempt is counted."""
    approval["state"] = state
    result = approve()
    assert result.code == code
    assert result.error["approval"] == {"id": approval["id"], "state": state}
    assert server.pin_calls == ["session"]


def test_an_unknown_id_exits_with_3(logged_in):
    """`approve` exits with 3 for an unknown ID, as every command that takes an ID does."""
    command = ("approve", "sayso_ap_x", "--fingerprint", "0000-0000", "--pin-stdin")
    assert logged_in(*command, stdin=PIN).code == Exit.NOT_FOUND


def test_an_unreachable_server_exits_with_7(approve, server):
    """An unreachable server is reported as unreachable, not as a refusal."""
    server.stop()
    assert approve().error["error"] == "unreachable"


def test_an_impossible_match_number_costs_no_attempt(approve, server, approval):
    """A malformed match number is a usage error. It counts as no attempt, and no PIN is sent."""
    approval["ceremony"] = "match+pin"
    calls_before = list(server.pin_calls)
    result = approve("--match", "5")
    assert result.code == Exit.USAGE
    detail = "--match is not valid. Enter the match number that the agent shows."
    assert result.error["detail"] == detail
    assert server.pin_calls == calls_before


def test_a_locked_request_is_refused_before_the_pin_is_counted(
    logged_in, approve, server, approval
):
    """`show` marks the request as locked; `approve` exits with 15 and does not send the PIN."""
    approval["tries_left"] = {"type_back": 0}
    assert "LOCKED:" in logged_in("show", approval["id"]).out
    result = approve()
    assert (result.code, result.error["error"]) == (Exit.LOCKED, "request_locked")
    assert server.pin_calls == ["session"]
