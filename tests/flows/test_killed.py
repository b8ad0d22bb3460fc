"""A server killed in the middle: a held poll, an expiry, a decision being sent."""

import contextlib
import threading

import httpx
import pytest

from approver_tui.client.errors import Unreachable
from tests.support.builders.clock import SECOND
from tests.support.checks.log_and_rows import state, stored, story
from tests.support.checks.waiting import meanwhile, until
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import greeted
from tests.support.clients.terminal import Terminal
from tests.support.inputs.signing import decision
from tests.support.servers.server import LiveServer


def _again(server: LiveServer) -> None:
    """`kill -9`, and a new process on the same folder."""
    server.kill()
    server.start()


def test_a_request_that_expired_while_the_server_was_down_has_ended(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The new process ends it before any poll, and the feed has the event."""
    agent.asked(person.user, requested_expiry="60")
    waiting = person.only()
    cursor = person.client.inbox("waiting").feed_cursor
    server.kill()
    server.clock.forward(61 * SECOND)
    server.start()
    until(lambda: state(server, waiting.id)[0] == "expired")
    with greeted(person, cursor=cursor) as line:
        frame = line.event("approval.expired")

    assert frame["approval"]["id"] == waiting.id


def test_a_held_poll_that_lost_its_server_can_be_sent_again(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The connection breaks; nothing was consumed; the next poll gets the token."""
    handle = agent.asked(person.user)
    waiting = person.only()

    def poll() -> str:
        with pytest.raises(httpx.TransportError):
            agent.poll(handle, prefer="wait=20")
        return "broken"

    with meanwhile(poll) as held:
        until(lambda: stored(server, waiting.id).polls > 0)
        _again(server)
        assert held.result(5) == "broken"
    person.approve(waiting)

    assert agent.poll(handle).status_code == 200


def test_an_acknowledged_decision_survives_a_kill_at_any_moment(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Each acknowledged decision is stored with its entry, and none is half stored."""
    for delay in (0.001, 0.01):
        agent.asked(person.user)
        waiting = person.client.approval(person.only().id)
        signed = decision(
            person,
            waiting,
            person.client.session.key,
            decision="deny",
            code="not_needed",
            ceremony="none",
        )
        kill = threading.Timer(delay, server.kill)
        acknowledged = False
        kill.start()
        with contextlib.suppress(Unreachable):
            acknowledged = person.client.decide(waiting.id, signed).state == "denied"
        kill.join()
        server.start()
        after, _ = state(server, waiting.id)

        assert not acknowledged or after == "denied"
        assert (after == "denied") == ("approval.denied" in story(server, waiting.id))
        if after == "pending":
            person.deny(waiting)
        server.clock.forward(41 * 60 * SECOND)  # three denials in ten minutes pause an agent
