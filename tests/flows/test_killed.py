"""Killed while something is going on: a held poll, a clock that runs out, an answer on its way."""

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


def test_what_ran_out_while_nobody_served_has_ended(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A new process ends it before anybody asks, and the feed tells those who missed it."""
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
    """The connection breaks; nothing was used up; the next poll gets the token."""
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


def test_killed_at_any_moment_an_acknowledged_answer_holds(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Decisions race the kill: each that was acknowledged is there with its entry, none is half."""
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
