"""An agent withdraws its request, and the user's screens show it."""

from datetime import UTC

import httpx
import pytest

from approver_tui.client.errors import AlreadyDecided
from approver_tui.widgets.approvals.outcomes import outcome
from tests.support.checks.refusals import check_refusal
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import LiveServer


def _revoke(agent: Agent, handle: str) -> httpx.Response:
    return agent.http.post("/revoke", data={"token": handle}, auth=agent.key.basic)


def test_a_withdrawn_request_can_no_longer_be_answered(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Only the agent that sent a request can withdraw it. Its next poll has reason cancelled."""
    handle = agent.request_approval(person.user)
    approval = person.only_request()
    other_agent = new_agent(server)
    assert _revoke(other_agent, handle).status_code == httpx.codes.OK
    assert person.only_request().id == approval.id
    assert _revoke(agent, handle).status_code == httpx.codes.OK
    other_agent.http.close()

    assert person.waiting() == ()
    shown = person.client.approval(approval.id)
    assert outcome(shown, server.clock.now(), UTC).startswith("Withdrawn: ")
    with pytest.raises(AlreadyDecided):
        person.approve(approval)
    assert check_refusal(agent.poll(handle), 400, "access_denied")["reason"] == "cancelled"


def test_a_poll_of_a_withdrawn_request_is_not_held(agent: Agent, person: Terminal) -> None:
    """Another process of the agent is told about the withdrawal immediately."""
    handle = agent.request_approval(person.user)
    assert _revoke(agent, handle).status_code == httpx.codes.OK
    answered = agent.poll(handle, prefer="wait=30")
    assert answered.elapsed.total_seconds() < 5
    check_refusal(answered, 400, "access_denied")
