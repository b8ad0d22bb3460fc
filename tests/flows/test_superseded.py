"""An agent replaces its own request, and everyone learns which one counts."""

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
    """It names the superseded one, which can no longer be answered."""
    handle = agent.asked(person.user)
    earlier = person.only()
    newer = agent.asked(person.user, supersedes=handle)
    waits = person.only()
    assert waits.supersedes is not None
    assert (waits.supersedes.id, waits.supersedes.fingerprint) == (earlier.id, earlier.fingerprint)
    shown = person.client.approval(earlier.id)
    outcome_text = outcome(shown, server.clock.now(), UTC)
    assert outcome_text == "Replaced by a newer request from the same agent."
    with pytest.raises(AlreadyDecided):
        person.approve(earlier)
    assert check_refusal(agent.poll(handle), 400, "access_denied")["reason"] == "superseded"
    person.approve(waits)
    assert agent.poll(newer).status_code == 200


def test_a_held_poll_of_a_superseded_request_ends_at_once(agent: Agent, person: Terminal) -> None:
    """Any other process of the agent learns of it."""
    handle = agent.asked(person.user)
    agent.asked(person.user, supersedes=handle)
    answered = agent.poll(handle, prefer="wait=30")
    assert answered.elapsed.total_seconds() < 5
    assert check_refusal(answered, 400, "access_denied")["reason"] == "superseded"


def test_another_agents_or_users_request_cannot_be_superseded(
    server: LiveServer, agent: Agent, person: Terminal, user: str
) -> None:
    """It stays pending, and nobody is asked."""
    handle = agent.asked(person.user)
    waits = person.only()
    other_agent = new_agent(server)
    for refused in (
        other_agent.ask(person.user, supersedes=handle),
        agent.ask(person.user, supersedes=f"{handle}x"),
        agent.ask(user, supersedes=handle),
    ):
        check_refusal(refused, 400, "invalid_request")
    other_agent.http.close()
    assert person.only().id == waits.id
    assert story(server, waits.id) == ["approval.requested"]
