"""An agent replaces its own request, and everyone is told which request is valid."""

from datetime import UTC

import pytest

from approver_tui.client.errors import AlreadyDecided
from approver_tui.widgets.approvals.outcomes import outcome
from tests.support.checks.log_and_rows import story
from tests.support.checks.refusals import check_refusal
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import LiveServer


def test_only_the_newer_request_is_pending(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The newer request names the one that it replaces, which can no longer be answered."""
    handle = agent.request_approval(person.user)
    earlier = person.only_request()
    newer = agent.request_approval(person.user, supersedes=handle)
    pending = person.only_request()
    assert pending.supersedes is not None
    assert (pending.supersedes.id, pending.supersedes.fingerprint) == (
        earlier.id,
        earlier.fingerprint,
    )
    approval = person.client.approval(earlier.id)
    outcome_text = outcome(approval, server.clock.now(), UTC)
    assert outcome_text == "Withdrawn. Replaced by a newer request from the same agent."
    with pytest.raises(AlreadyDecided):
        person.approve(earlier)
    assert check_refusal(agent.poll(handle), 400, "access_denied")["reason"] == "superseded"
    person.approve(pending)
    assert agent.poll(newer).status_code == 200


def test_a_poll_of_a_superseded_request_is_not_held(agent: Agent, person: Terminal) -> None:
    """Another process of the agent is told about the replacement immediately."""
    handle = agent.request_approval(person.user)
    agent.request_approval(person.user, supersedes=handle)
    answered = agent.poll(handle, prefer="wait=30")
    assert answered.elapsed.total_seconds() < 5
    assert check_refusal(answered, 400, "access_denied")["reason"] == "superseded"


def test_another_agents_or_users_request_cannot_be_superseded(
    server: LiveServer, agent: Agent, person: Terminal, user: str
) -> None:
    """The attempt is refused, the request stays pending, and nobody is asked."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    other_agent = new_agent(server)
    for refused in (
        other_agent.ask(person.user, supersedes=handle),
        agent.ask(person.user, supersedes=f"{handle}x"),
        agent.ask(user, supersedes=handle),
    ):
        check_refusal(refused, 400, "invalid_request")
    other_agent.http.close()
    assert person.only_request().id == pending.id
    assert story(server, pending.id) == ["approval.requested"]
