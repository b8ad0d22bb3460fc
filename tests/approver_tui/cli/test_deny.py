"""A no from a shell takes the id and a reason, and no PIN."""

import pytest

from approver_tui.cli.exits import Exit
from approver_tui.state.decision import DenyCode


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


def test_what_its_agent_took_back_needs_no_answer(logged_in, server):
    """And it is said so, in the words of the screen."""
    asked = server.add()
    asked |= {"state": "cancelled", "reason": "withdrawn"}
    done = logged_in("deny", asked["id"], "--code", "not_needed")
    assert done.code == Exit.WITHDRAWN
    assert "no longer needed, its agent took it back" in done.err
