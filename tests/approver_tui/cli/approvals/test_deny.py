"""`deny` requires the ID and a code, and no PIN."""

import json

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.state.approvals.decision import DenyCode


@pytest.mark.parametrize("code", [code.value for code in DenyCode])
def test_every_deny_code_is_accepted(logged_in, server, code):
    """The server gets the deny code and the note unchanged."""
    approval = server.add()
    command = ("deny", approval["id"], "--code", code, "--note", "Which invoice?", "--json")
    document = logged_in(*command).document
    assert document["state"] == "denied"
    assert (document["decided"]["code"], document["decided"]["note"]) == (code, "Which invoice?")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--code", "because"], ["--code", "too_broad", "--note", "x" * 501]],
    ids=["none", "unknown", "long"],
)
def test_a_denial_without_a_valid_code_is_a_usage_error(logged_in, server, arguments):
    """A missing or unknown code, or a note that is too long, is refused before anything is sent."""
    approval = server.add()
    assert logged_in("deny", approval["id"], *arguments).code == Exit.USAGE
    assert approval["state"] == "pending"


def test_a_late_denial_reports_the_outcome(logged_in, server):
    """If another device answered first, the error says who decided, on which device and how."""
    approval = server.add()
    server.decide_elsewhere(approval["id"], "approve")
    result = logged_in("deny", approval["id"], "--code", "not_needed", "--json")
    assert result.code == Exit.CONFLICT
    assert result.error["approval"] == {"id": approval["id"], "state": "approved"}
    user_and_device = (
        approval["decided"]["by"]["name"],
        approval["decided"]["device"]["name"],
    )
    expected = "Too late. This request is already approved by {} on {} at ".format(*user_and_device)
    assert result.error["detail"].startswith(expected)


def test_denying_a_withdrawn_request_reports_the_withdrawal(logged_in, server):
    """The command describes the withdrawal in the same words as the screen."""
    approval = server.add()
    approval |= {"state": "cancelled", "reason": "withdrawn"}
    result = logged_in("deny", approval["id"], "--code", "not_needed")
    assert result.code == Exit.WITHDRAWN
    assert "The agent withdrew this request" in result.err


@pytest.mark.parametrize(
    ("retry_at", "sent"),
    [("2026-12-01T08:00:00+01:00", "2026-12-01T07:00:00+00:00"), ("15m", None)],
)
def test_wait_until_accepts_a_time(logged_in, server, retry_at, sent):
    """--retry-at accepts a time, or a duration that starts now on the server's clock."""
    approval = server.add()
    command = ("deny", approval["id"], "--code", "wait_until", "--retry-at", retry_at)
    assert logged_in(*command).code == Exit.DONE
    assert approval["retry_at"] == sent or (
        sent is None and approval["retry_at"].endswith("+00:00")
    )


@pytest.mark.parametrize(("code", "when"), [("too_broad", "15m"), ("wait_until", "soon")])
def test_an_invalid_or_unexpected_retry_time_is_a_usage_error(logged_in, server, code, when):
    """--retry-at needs the code `wait_until` and a valid time. Otherwise nothing is sent."""
    approval = server.add()
    result = logged_in("deny", approval["id"], "--code", code, "--retry-at", when)
    assert result.code == Exit.USAGE
    assert "--retry-at" in result.err
    assert approval["state"] == "pending"


def test_ask_other_accepts_a_user_and_a_private_note(logged_in, server):
    """The name of the user and the private note reach the server unchanged."""
    approval = server.add()
    command = ("deny", approval["id"], "--code", "ask_other", "--ask", "bob")
    assert logged_in(*command, "--private-note", "Not my budget.").code == Exit.DONE
    assert (approval["ask"], approval["private_note"]) == ("bob", "Not my budget.")


@pytest.mark.parametrize(
    "flags", [("--ask", "bob"), ("--private-note", "x" * 501)], ids=["another reason", "too long"]
)
def test_a_member_that_the_code_does_not_allow_is_a_usage_error(logged_in, server, flags):
    """--ask needs the code `ask_other`, and a private note is limited to 500 characters."""
    approval = server.add()
    result = logged_in("deny", approval["id"], "--code", "too_broad", *flags)
    assert result.code == Exit.USAGE
    assert approval["state"] == "pending"


def test_several_requests_are_denied_one_by_one(logged_in, server):
    """A request that cannot be denied does not stop the others. The exit code reports it."""
    first, approved_request, last = (server.add() for _ in range(3))
    server.decide_elsewhere(approved_request["id"], "approve")
    ids = [item["id"] for item in (first, approved_request, last, first)]
    result = logged_in("deny", *ids, "--code", "not_needed", "--json")
    document = json.loads(result.out)
    assert [item["id"] for item in document["items"]] == [first["id"], last["id"]]
    (failed,) = document["failed"]
    assert (failed["id"], failed["exit"]) == (approved_request["id"], Exit.CONFLICT)
    assert (result.code, json.loads(result.err)["error"]) == (Exit.CONFLICT, "already_decided")
    assert [item["state"] for item in (first, approved_request, last)] == [
        "denied",
        "approved",
        "denied",
    ]


def test_each_result_of_several_denials_has_a_line(logged_in, server):
    """The output names each denied request, and the ID and reason of each failure."""
    approval = server.add()
    result = logged_in("deny", approval["id"], "sayso_ap_none", "--code", "not_needed")
    assert result.code == Exit.NOT_FOUND
    assert approval["id"] in result.out
    assert "\nsayso_ap_none: " in result.out


def test_an_unreachable_server_stops_all_denials(logged_in, server):
    """If the server cannot be reached, every request is reported as failed."""
    ids = [server.add()["id"] for _ in range(3)]
    server.stop()
    result = logged_in("deny", *ids, "--code", "not_needed", "--json")
    assert result.code == Exit.UNREACHABLE
    assert [item["id"] for item in json.loads(result.out)["failed"]] == ids
