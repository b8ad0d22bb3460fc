"""`withdraw`, as a command and in the line mode."""

import pytest

from tests.approver_tui.cli.approvals.test_review import typed
from tests.support.builders.approval_texts import USER, wire_approval
from tests.support.builders.multi_approver import a_vote, of_two

WITHDRAWN = (
    "Your approval is withdrawn (0 of 2, needs two from finance). "
    "The request is waiting for your answer."
)


@pytest.fixture
def voted_id(server):
    """Return the ID of a request that this user approved and that needs one more approval."""
    votes = of_two(a_vote(USER, "alice"))
    return server.add(wire_approval(now=server.now(), outer=votes))["id"]


def test_an_approval_is_withdrawn_without_a_pin(logged_in, server, voted_id):
    """Afterwards, `show` lists the withdrawal, and the request waits for the user again."""
    calls_before = len(server.pin_calls)
    result = logged_in("withdraw", voted_id)
    assert (result.code, result.out) == (0, f"{WITHDRAWN}\n")
    assert len(server.pin_calls) == calls_before
    assert "alice: withdrew their approval" in logged_in("show", voted_id).out
    assert "WAITING FOR OTHERS" not in logged_in("inbox").out


def test_withdraw_prints_a_document(logged_in, voted_id):
    """The JSON document has the request with its votes."""
    document = logged_in("withdraw", voted_id, "--json").document
    (vote,) = document["vote_tally"]["answers"]
    assert (document["schema"], document["state"]) == ("sayso.item/1", "pending")
    assert (vote["decision"], vote["counts"]) == ("withdraw", False)


def test_without_an_approval_nothing_is_withdrawn(logged_in, voted_id):
    """A second withdrawal exits with 6, because there is no approval left to withdraw."""
    logged_in("withdraw", voted_id)
    assert logged_in("withdraw", voted_id).code == 6


@pytest.mark.usefixtures("server")
def test_the_line_mode_withdraws(logged_in, voted_id):
    """In the line mode, `withdraw` must be typed in full, like every answer."""
    out = logged_in("review", voted_id, "--plain", stdin=typed("withdraw", "quit")).out
    assert WITHDRAWN in out
    assert (
        "withdraw  withdraw your approval"
        in logged_in("review", voted_id, "--plain", stdin=typed("help", "quit")).out
    )
