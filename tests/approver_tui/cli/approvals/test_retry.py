"""Asking the agent of an expired request to ask again, from a shell."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.test_schemas import LAPSED
from tests.support.builders.approval_texts import when, wire_approval


def _late(server):
    return server.add(wire_approval(now=server.now(), outer=LAPSED))["id"]


def test_the_agent_of_an_expired_request_is_told_to_ask_again(logged_in, server):
    """What `show` offers, and what it says afterwards."""
    late = _late(server)
    assert logged_in("show", late).out.splitlines()[-1] == f"sayso-approver retry {late}"
    done = logged_in("retry", late)
    assert (done.code, done.out) == (0, "invoice-bot is asked to retry at its next poll.\n")
    after = logged_in("show", late).out
    assert "expired: Nobody opened it. Its agent is asked to retry." in after
    assert f"sayso-approver retry {late}" not in after


def test_it_is_a_document_too(logged_in, server):
    """The request, with what its agent is told."""
    late = _late(server)
    assert logged_in("show", late, "--json").document["retry"] == "possible"
    document = logged_in("retry", late, "--json").document
    assert (document["schema"], document["id"]) == ("sayso.item/1", late)
    assert (document["state"], document["retry"]) == ("expired", "asked")


def test_what_still_waits_is_a_conflict(logged_in, server):
    """Exit 6, and nothing was asked."""
    waits = server.add()["id"]
    assert logged_in("retry", waits, "--json").code == 6
    assert logged_in("show", waits, "--json").document["retry"] is None


@pytest.mark.parametrize("state", ["expired", "pending"])
def test_what_expired_cannot_wait_longer_and_exits_as_expired(logged_in, server, state):
    """Also where the server has not noted the end yet."""
    late = _over(server, state)
    done = logged_in("extend", late, "--json")
    assert done.code == Exit.EXPIRED
    assert done.error["approval"] == {"id": late, "state": "expired"}


def test_what_was_decided_cannot_wait_longer_and_says_by_whom(logged_in, server):
    """A conflict, as for every other answer that comes too late."""
    asked = server.add()
    server.decide_elsewhere(asked["id"])
    done = logged_in("extend", asked["id"], "--json")
    assert done.code == Exit.CONFLICT
    assert done.error["approval"] == {"id": asked["id"], "state": "denied"}


def _over(server, state):
    before = server.now() - 3_600_000
    outer = {"state": state, "expires_at": when(before)}
    return server.add(wire_approval(now=before, outer=outer))["id"]
