"""A no from a shell takes the id and a reason, and no PIN."""

import json

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.state.approvals.decision import DenyCode


@pytest.mark.parametrize("code", [code.value for code in DenyCode])
def test_every_code_is_taken(logged_in, server, code):
    """The agent learns the code and the note, word for word."""
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
def test_a_denial_without_a_proper_reason_is_a_usage_error(logged_in, server, arguments):
    """Nothing was sent."""
    asked = server.add()
    assert logged_in("deny", asked["id"], *arguments).code == Exit.USAGE
    assert asked["state"] == "pending"


def test_too_late_names_the_outcome(logged_in, server):
    """Another device was faster."""
    asked = server.add()
    server.decide_elsewhere(asked["id"], "approve")
    done = logged_in("deny", asked["id"], "--code", "not_needed", "--json")
    assert done.code == Exit.CONFLICT
    assert done.error["approval"] == {"id": asked["id"], "state": "approved"}
    by = asked["decided"]["by"]["name"], asked["decided"]["device"]["name"]
    told = "Too late, this request is approved by {} on {} at ".format(*by)
    assert done.error["detail"].startswith(told)


def test_what_its_agent_took_back_needs_no_answer(logged_in, server):
    """And it is said so, in the words of the screen."""
    asked = server.add()
    asked |= {"state": "cancelled", "reason": "withdrawn"}
    done = logged_in("deny", asked["id"], "--code", "not_needed")
    assert done.code == Exit.WITHDRAWN
    assert "the agent withdrew this request" in done.err


@pytest.mark.parametrize(
    ("when", "told"),
    [("2026-12-01T08:00:00+01:00", "2026-12-01T07:00:00+00:00"), ("15m", None)],
)
def test_wait_until_may_say_until_when(logged_in, server, when, told):
    """A time, or after a while by the server's clock."""
    asked = server.add()
    command = ("deny", asked["id"], "--code", "wait_until", "--retry-at", when)
    assert logged_in(*command).code == Exit.DONE
    assert asked["retry_at"] == told or (told is None and asked["retry_at"].endswith("+00:00"))


@pytest.mark.parametrize(("code", "when"), [("too_broad", "15m"), ("wait_until", "soon")])
def test_another_reason_or_no_time_at_all_is_a_usage_error(logged_in, server, code, when):
    """Nothing was sent."""
    asked = server.add()
    done = logged_in("deny", asked["id"], "--code", code, "--retry-at", when)
    assert done.code == Exit.USAGE
    assert "--retry-at" in done.err
    assert asked["state"] == "pending"


def test_ask_someone_else_may_say_whom_and_a_note_may_be_for_the_record(logged_in, server):
    """Both reach the server as they were written."""
    asked = server.add()
    command = ("deny", asked["id"], "--code", "ask_other", "--ask", "bob")
    assert logged_in(*command, "--private-note", "Not my budget.").code == Exit.DONE
    assert (asked["ask"], asked["private_note"]) == ("bob", "Not my budget.")


@pytest.mark.parametrize(
    "flags", [("--ask", "bob"), ("--private-note", "x" * 501)], ids=["another reason", "too long"]
)
def test_what_does_not_fit_a_no_is_a_usage_error(logged_in, server, flags):
    """Nothing was sent."""
    asked = server.add()
    done = logged_in("deny", asked["id"], "--code", "too_broad", *flags)
    assert done.code == Exit.USAGE
    assert asked["state"] == "pending"


def test_several_are_denied_each_by_an_answer_of_its_own(logged_in, server):
    """One that is over keeps none of the others; the exit code says that not all went well."""
    first, over, last = (server.add() for _ in range(3))
    server.decide_elsewhere(over["id"], "approve")
    ids = [each["id"] for each in (first, over, last, first)]
    done = logged_in("deny", *ids, "--code", "not_needed", "--json")
    told = json.loads(done.out)
    assert [each["id"] for each in told["items"]] == [first["id"], last["id"]]
    (failed,) = told["failed"]
    assert (failed["id"], failed["exit"]) == (over["id"], Exit.CONFLICT)
    assert (done.code, json.loads(done.err)["error"]) == (Exit.CONFLICT, "already_decided")
    assert [each["state"] for each in (first, over, last)] == ["denied", "approved", "denied"]


def test_several_are_told_line_by_line(logged_in, server):
    """What was denied, and by its id what was not and why."""
    asked = server.add()
    done = logged_in("deny", asked["id"], "sayso_ap_none", "--code", "not_needed")
    assert done.code == Exit.NOT_FOUND
    assert asked["id"] in done.out
    assert "\nsayso_ap_none: " in done.out


def test_without_the_server_none_of_several_is_tried_again(logged_in, server):
    """What stops the first stops all, and each is told."""
    ids = [server.add()["id"] for _ in range(3)]
    server.stop()
    done = logged_in("deny", *ids, "--code", "not_needed", "--json")
    assert done.code == Exit.UNREACHABLE
    assert [each["id"] for each in json.loads(done.out)["failed"]] == ids
