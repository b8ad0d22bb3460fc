"""`retry` and `extend`."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.test_schemas import EXPIRED
from tests.support.builders.approval_texts import to_rfc3339, wire_approval


def _add_expired(server):
    return server.add(wire_approval(now=server.now(), outer=EXPIRED))["id"]


def test_retry_asks_the_agent_to_repeat_an_expired_request(logged_in, server):
    """`show` suggests `retry` for an expired request, and afterwards says that it was asked for."""
    late = _add_expired(server)
    assert logged_in("show", late).out.splitlines()[-1] == f"sayso-approver retry {late}"
    result = logged_in("retry", late)
    assert (result.code, result.out) == (
        0,
        "invoice-bot will be asked to retry at its next poll.\n",
    )
    after = logged_in("show", late).out
    assert "expired: Nobody opened it. Its agent is asked to retry." in after
    assert f"sayso-approver retry {late}" not in after


def test_retry_prints_a_document(logged_in, server):
    """The JSON document of `retry` has the request."""
    late = _add_expired(server)
    assert logged_in("show", late, "--json").document["retry"] == "possible"
    document = logged_in("retry", late, "--json").document
    assert (document["schema"], document["id"]) == ("sayso.item/1", late)
    assert (document["state"], document["retry"]) == ("expired", "asked")


def test_retrying_a_waiting_request_is_a_conflict(logged_in, server):
    """`retry` exits with 6 for a waiting request and sends nothing."""
    waiting_id = server.add()["id"]
    assert logged_in("retry", waiting_id, "--json").code == 6
    assert logged_in("show", waiting_id, "--json").document["retry"] is None


@pytest.mark.parametrize("state", ["expired", "pending"])
def test_extending_an_expired_request_exits_with_12(logged_in, server, state):
    """`extend` exits with 12 even if the server has not noticed the expiry yet."""
    late = _add_past_expiry(server, state)
    result = logged_in("extend", late, "--json")
    assert result.code == Exit.EXPIRED
    assert result.error["approval"] == {"id": late, "state": "expired"}


def test_extending_a_decided_request_reports_who_decided(logged_in, server):
    """`extend` on a decided request is a conflict, as for every late answer."""
    approval = server.add()
    server.decide_elsewhere(approval["id"])
    result = logged_in("extend", approval["id"], "--json")
    assert result.code == Exit.CONFLICT
    assert result.error["approval"] == {"id": approval["id"], "state": "denied"}


def _add_past_expiry(server, state):
    an_hour_ago = server.now() - 3_600_000
    outer = {"state": state, "expires_at": to_rfc3339(an_hour_ago)}
    return server.add(wire_approval(now=an_hour_ago, outer=outer))["id"]
