"""An agent asks anew in the place of its own request, and everybody learns which one counts."""

from datetime import UTC

import pytest

from approver_tui.client.errors import AlreadyDecided
from approver_tui.widgets.approvals.outcomes import outcome
from tests.support.checks.log_and_rows import story
from tests.support.checks.refusals import check_refusal
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import LiveServer


def test_the_newer_request_is_the_only_one_that_waits(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Its person reads which one it replaced; nobody can answer that one any more."""
    handle = agent.asked(person.user)
    earlier = person.only()
    newer = agent.asked(person.user, supersedes=handle)
    waits = person.only()
    assert waits.supersedes is not None
    assert (waits.supersedes.id, waits.supersedes.fingerprint) == (earlier.id, earlier.fingerprint)
    shown = person.client.approval(earlier.id)
    said = outcome(shown, server.clock.now(), UTC)
    assert said == "Replaced by a newer request from the same agent."
    with pytest.raises(AlreadyDecided):
        person.approve(earlier)
    assert check_refusal(agent.poll(handle), 400, "access_denied")["reason"] == "superseded"
    person.approve(waits)
    assert agent.poll(newer).status_code == 200


def test_a_held_poll_of_what_is_replaced_ends_at_once(agent: Agent, person: Terminal) -> None:
    """Whoever else of the agent still waits for it hears of it."""
    handle = agent.asked(person.user)
    agent.asked(person.user, supersedes=handle)
    answered = agent.poll(handle, prefer="wait=30")
    assert answered.elapsed.total_seconds() < 5
    assert check_refusal(answered, 400, "access_denied")["reason"] == "superseded"


def test_nobody_elses_request_is_replaced(
    server: LiveServer, agent: Agent, person: Terminal, user: str
) -> None:
    """Not another agent's, not one to somebody else; what waits goes on, and nobody is asked."""
    handle = agent.asked(person.user)
    waits = person.only()
    thief = new_agent(server)
    for refused in (
        thief.ask(person.user, supersedes=handle),
        agent.ask(person.user, supersedes=f"{handle}x"),
        agent.ask(user, supersedes=handle),
    ):
        check_refusal(refused, 400, "invalid_request")
    thief.http.close()
    assert person.only().id == waits.id
    assert story(server, waits.id) == ["approval.requested"]
