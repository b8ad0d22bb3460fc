"""`deny` requires the ID and a code, and no PIN."""

import json

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.state.approvals.decision import DenyCode


@pytest.mark.parametrize("code", [code.value for code in DenyCode])
def test_every_deny_code_is_accepted(logged_in, server, code):
    """The agent gets the code and the note unchanged."""
    asked = server.add()
    command = ("deny", asked["id"], "--code", code, "--note", "Which invoice?", "--json")
    document = logged_in(*command).document
    assert document["state"] == "denied"
    assert (document["decided"]["code"], document["decided"]["note"]) == (code, "Which invoice?")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--code", "because"], ["--code", "too_broad", "--note", "x" * 501]],
    ids=["none", "unknown", "long"],
)
def test_a_denial_without_a_valid_code_is_a_usage_error(logged_in, server, arguments):
    """Nothing is sent."""
    asked = server.add()
    assert logged_in("deny", asked["id"], *arguments).code == Exit.USAGE
    assert asked["state"] == "pending"


def test_a_late_denial_reports_the_outcome(logged_in, server):
    """Another device answered first."""
    asked = server.add()
    server.decide_elsewhere(asked["id"], "approve")
    done = logged_in("deny", asked["id"], "--code", "not_needed", "--json")
    assert done.code == Exit.CONFLICT
    assert done.error["approval"] == {"id": asked["id"], "state": "approved"}
    by = asked["decided"]["by"]["name"], asked["decided"]["device"]["name"]
    told = "Too late, this request is approved by {} on {} at ".format(*by)
    assert done.error["detail"].startswith(told)


def test_denying_a_withdrawn_request_says_that_it_was_withdrawn(logged_in, server):
    """The words are those of the screen."""
    asked = server.add()
    asked |= {"state": "cancelled", "reason": "withdrawn"}
    done = logged_in("deny", asked["id"], "--code", "not_needed")
    assert done.code == Exit.WITHDRAWN
    assert "the agent withdrew this request" in done.err


@pytest.mark.parametrize(
    ("when", "told"),
    [("2026-12-01T08:00:00+01:00", "2026-12-01T07:00:00+00:00"), ("15m", None)],
)
def test_wait_until_accepts_a_time(logged_in, server, when, told):
    """It is a time, or a duration from now on the server's clock."""
    asked = server.add()
    command = ("deny", asked["id"], "--code", "wait_until", "--retry-at", when)
    assert logged_in(*command).code == Exit.DONE
    assert asked["retry_at"] == told or (told is None and asked["retry_at"].endswith("+00:00"))


@pytest.mark.parametrize(("code", "when"), [("too_broad", "15m"), ("wait_until", "soon")])
def test_a_time_with_another_code_is_a_usage_error(logged_in, server, code, when):
    """An invalid time is one too. Nothing is sent."""
    asked = server.add()
    done = logged_in("deny", asked["id"], "--code", code, "--retry-at", when)
    assert done.code == Exit.USAGE
    assert "--retry-at" in done.err
    assert asked["state"] == "pending"


def test_ask_other_accepts_a_user_and_a_private_note(logged_in, server):
    """Both reach the server unchanged."""
    asked = server.add()
    command = ("deny", asked["id"], "--code", "ask_other", "--ask", "bob")
    assert logged_in(*command, "--private-note", "Not my budget.").code == Exit.DONE
    assert (asked["ask"], asked["private_note"]) == ("bob", "Not my budget.")


@pytest.mark.parametrize(
    "flags", [("--ask", "bob"), ("--private-note", "x" * 501)], ids=["another reason", "too long"]
)
def test_a_member_that_the_code_does_not_allow_is_a_usage_error(logged_in, server, flags):
    """Nothing is sent."""
    asked = server.add()
    done = logged_in("deny", asked["id"], "--code", "too_broad", *flags)
    assert done.code == Exit.USAGE
    assert asked["state"] == "pending"


def test_several_requests_are_denied_one_by_one(logged_in, server):
    """An ended one does not stop the others; the exit code reports the failure."""
    first, over, last = (server.add() for _ in range(3))
    server.decide_elsewhere(over["id"], "approve")
    ids = [each["id"] for each in (first, over, last, first)]
    done = logged_in("deny", *ids, "--code", "not_needed", "--json")
    told = json.loads(done.out)
    assert [item["id"] for item in told["items"]] == [first["id"], last["id"]]
    (failed,) = told["failed"]
    assert (failed["id"], failed["exit"]) == (over["id"], Exit.CONFLICT)
    assert (done.code, json.loads(done.err)["error"]) == (Exit.CONFLICT, "already_decided")
    assert [each["state"] for each in (first, over, last)] == ["denied", "approved", "denied"]


def test_each_result_of_several_denials_has_a_line(logged_in, server):
    """It names what was denied, and the ID and reason of each failure."""
    asked = server.add()
    done = logged_in("deny", asked["id"], "sayso_ap_none", "--code", "not_needed")
    assert done.code == Exit.NOT_FOUND
    assert asked["id"] in done.out
    assert "\nsayso_ap_none: " in done.out


def test_an_unreachable_server_stops_all_denials(logged_in, server):
    """Every request is reported."""
    ids = [server.add()["id"] for _ in range(3)]
    server.stop()
    done = logged_in("deny", *ids, "--code", "not_needed", "--json")
    assert done.code == Exit.UNREACHABLE
    assert [each["id"] for each in json.loads(done.out)["failed"]] == ids
