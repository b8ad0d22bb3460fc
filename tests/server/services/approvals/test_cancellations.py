"""An agent cancels its own requests."""

import pytest

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges, NewAgent
from tests.support.builders.callers import LocalAgent
from tests.support.builders.installation import BY
from tests.support.fakes.receiver import receiver


def _revoke(agent, handle):
    return agent.local.post_form("/revoke", {"token": handle, **agent.credentials})


@pytest.mark.parametrize("answered", [False, True])
def test_cancelling_a_request_removes_it_from_every_screen(agent, person, local, answered):
    """A request can be canceled before and after its approval, and its agent gets the reason."""
    handle, approval = agent.request_approval()
    if answered:
        person.approve(approval.id)
    assert (_revoke(agent, handle).status, _revoke(agent, handle).status) == (200, 200)
    row = local.stored_approval(approval.id)
    assert (row.state, row.reason) == (State.CANCELLED, "withdrawn")
    shown = person.show(approval.id)
    assert (shown["state"], shown["reason"]) == ("cancelled", "withdrawn")
    assert local.admin.events(person.user)[-1] == "approval.cancelled"
    (entry,) = local.admin.entries("approval.cancelled")
    assert (entry["actor"], entry["cause"]) == (f"agent:{agent.id}", "withdrawn")
    refused = agent.poll(handle)
    assert (refused.refusal, refused.json["reason"]) == ((400, "access_denied"), "cancelled")
    assert person.deny(approval.id).status == 409


def test_a_request_of_another_agent_is_not_cancelled(agent, local):
    """The response is the same as for an unknown handle, so that it reveals nothing."""
    handle, approval = agent.request_approval()
    registration = local.admin.agents.add(
        NewAgent("other-bot", ("admin",), auth_method="client_secret_post"), by=BY
    )
    thief = LocalAgent(local, registration.agent.id, registration.secret)
    assert [
        (answer.status, answer.body)
        for answer in (_revoke(thief, handle), _revoke(agent, handle + "x"))
    ] == [(200, b"{}")] * 2
    assert local.stored_approval(approval.id).state is State.PENDING


def test_a_redeemed_request_is_not_cancelled(agent, person, local):
    """A redeemed request stays redeemed; the agent can revoke its token instead."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert _revoke(agent, handle).status == 200
    assert local.stored_approval(approval.id).state is State.REDEEMED


def test_an_agent_gets_no_callback_for_its_own_cancellation(agent, local):
    """No callback is sent, and the notification token is deleted."""
    with receiver() as endpoint:
        changes = AgentChanges(delivery="push", notification_endpoint=endpoint.url())
        local.admin.agents.update(agent.id, changes, by=BY)
        handle, approval = agent.request_approval(client_notification_token="a" * 22)
        _revoke(agent, handle)
        local.deliver()
        assert endpoint.got == []
    assert local.stored_approval(approval.id).notification_token is None
