"""A server that is killed during a held poll, before an expiry or while a decision is sent."""

import contextlib
import threading

import httpx
import pytest

from approver_tui.client.errors import Unreachable
from tests.support.builders.clock import SECOND
from tests.support.checks.log_and_rows import state, stored_approval, story
from tests.support.checks.waiting import in_background, until
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal
from tests.support.inputs.signing import decision
from tests.support.servers.server import LiveServer


def _kill_and_restart(server: LiveServer) -> None:
    """Kills the server with `kill -9` and starts a new process on the same folder."""
    server.kill()
    server.start()


def test_a_request_that_expired_while_the_server_was_down_is_recorded_as_expired(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The new process expires the request without a poll, and the feed has the event."""
    agent.request_approval(person.user, requested_expiry="60")
    pending = person.only_request()
    cursor = person.client.inbox("waiting").feed_cursor
    server.kill()
    server.clock.forward(61 * SECOND)
    server.start()
    until(lambda: state(server, pending.id)[0] == "expired")
    with open_feed(person, cursor=cursor) as line:
        frame = line.event("approval.expired")

    assert frame["approval"]["id"] == pending.id


def test_a_held_poll_that_lost_its_server_can_be_sent_again(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The broken poll did not consume the approval, so the next poll gets the token."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()

    def poll() -> str:
        with pytest.raises(httpx.TransportError):
            agent.poll(handle, prefer="wait=20")
        return "broken"

    with in_background(poll) as held_poll:
        until(lambda: stored_approval(server, pending.id).polls > 0)
        _kill_and_restart(server)
        assert held_poll.result(5) == "broken"
    person.approve(pending)

    assert agent.poll(handle).status_code == 200


def test_an_acknowledged_decision_survives_a_kill_at_any_moment(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Acknowledged decisions are stored with their log entry; no decision is stored partially."""
    for delay in (0.001, 0.01):
        agent.request_approval(person.user)
        pending = person.client.approval(person.only_request().id)
        signed = decision(
            person,
            pending,
            person.client.session.key,
            decision="deny",
            code="not_needed",
            ceremony="none",
        )
        kill = threading.Timer(delay, server.kill)
        acknowledged = False
        kill.start()
        with contextlib.suppress(Unreachable):
            acknowledged = person.client.decide(pending.id, signed).state == "denied"
        kill.join()
        server.start()
        after, _ = state(server, pending.id)

        assert not acknowledged or after == "denied"
        assert (after == "denied") == ("approval.denied" in story(server, pending.id))
        if after == "pending":
            person.deny(pending)
        server.clock.forward(41 * 60 * SECOND)  # three denials in ten minutes pause an agent
