"""Pacing of polls: early polls are slowed down, and decided requests are never paced."""

from dataclasses import dataclass

import pytest

from tests.support.builders.clock import SECOND
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import LiveServer

_WORDS = {"error", "error_description"}


@dataclass(frozen=True, slots=True)
class _Polling:
    """One request that is polled repeatedly, with a clock that the test controls."""

    server: LiveServer
    agent: Agent
    handle: str

    def after(self, milliseconds: int, handle: str = "") -> str:
        """Polls when this much time has passed and returns the error."""
        self.server.clock.forward(milliseconds)
        error: str = self.agent.poll(handle or self.handle).json()["error"]
        return error


@pytest.fixture
def polling(server: LiveServer, agent: Agent, user: str) -> _Polling:
    """A request that nobody answers."""
    return _Polling(server, agent, agent.request_approval(user))


def test_the_acknowledgement_names_the_interval(agent: Agent, user: str) -> None:
    """The interval is five seconds, and no client has to guess it."""
    assert agent.ask(user).json()["interval"] == 5


def test_the_first_poll_is_never_early(polling: _Polling) -> None:
    """CB-128: the interval counts from one poll to the next, not from the request."""
    assert polling.after(0) == "authorization_pending"
    assert polling.after(0) == "slow_down"


def test_a_client_that_ignores_the_new_interval_still_gets_its_token(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A client that keeps the old interval gets slow_down with the state, and finally its token."""
    polling = _Polling(server, agent, agent.request_approval(person.user))
    first = agent.poll(polling.handle).json()
    assert first["error"] == "authorization_pending"
    assert {"delivered", "seen"} <= first.keys()
    assert polling.after(5 * SECOND) == "authorization_pending"
    assert polling.after(2 * SECOND) == "slow_down"
    assert {polling.after(5 * SECOND) for _ in range(6)} == {"slow_down"}
    pending = person.only_request()
    person.client.approval(pending.id)
    server.clock.forward(5 * SECOND)
    late = agent.poll(polling.handle).json()
    assert (late["error"], late["delivered"], late["seen"]) == ("slow_down", True, True)
    person.approve(pending)
    assert agent.poll(polling.handle).json()["access_token"]


def test_slow_down_has_retry_after_and_the_state_of_the_request(polling: _Polling) -> None:
    """`Retry-After` is the new interval; the other members equal those of a pending answer."""
    pending = polling.agent.poll(polling.handle)
    early = polling.agent.poll(polling.handle)
    assert early.headers["Retry-After"] == "10"
    shared = early.json().keys() - {"interval"}
    assert shared == pending.json().keys()
    assert all(early.json()[name] == pending.json()[name] for name in shared - _WORDS)
    assert polling.after(10 * SECOND) == "authorization_pending"


def test_a_poll_at_the_interval_is_never_early(polling: _Polling) -> None:
    """CB-127: ten polls, five seconds apart, are all in time."""
    assert {polling.after(5 * SECOND) for _ in range(10)} == {"authorization_pending"}


def test_a_poll_half_a_second_early_is_accepted(polling: _Polling) -> None:
    """Clocks and networks are imprecise, so 4.5 seconds are accepted as five."""
    assert {polling.after(4_500) for _ in range(5)} == {"authorization_pending"}


def test_a_poll_more_than_half_a_second_early_is_slowed_down(polling: _Polling) -> None:
    """A poll after one second is early, even if the machine itself takes three seconds more."""
    polling.after(0)
    assert polling.after(1 * SECOND) == "slow_down"


def test_an_early_poll_adds_five_seconds_permanently(polling: _Polling) -> None:
    """CB-126: polls at the old interval get slow_down again; polls at the new one are in time."""
    polling.after(0)
    assert polling.after(0) == "slow_down"
    assert polling.after(10 * SECOND) == "authorization_pending"
    assert polling.after(10 * SECOND) == "authorization_pending"
    assert polling.after(5 * SECOND) == "slow_down"
    assert polling.after(10 * SECOND) == "slow_down"
    assert polling.after(20 * SECOND) == "authorization_pending"


def test_the_interval_grows_to_thirty_seconds(polling: _Polling) -> None:
    """The interval grows in steps of five seconds to thirty, and does not grow further."""
    polling.after(0)
    answers = [polling.agent.poll(polling.handle) for _ in range(8)]

    assert {answer.status_code for answer in answers} == {400}
    assert [answer.json()["interval"] for answer in answers] == [10, 15, 20, 25, 30, 30, 30, 30]
    assert polling.after(25 * SECOND) == "slow_down"
    assert polling.after(30 * SECOND) == "authorization_pending"


def test_each_request_has_its_own_pace(polling: _Polling, user: str) -> None:
    """Polling one request too fast does not slow down another request of the same agent."""
    other = polling.agent.request_approval(user)
    assert polling.after(0, other) == polling.after(0) == "authorization_pending"
    assert polling.after(0) == "slow_down"
    assert polling.after(0) == "slow_down"
    assert polling.after(5 * SECOND, other) == "authorization_pending"


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_decided_request_is_answered_immediately(
    server: LiveServer, agent: Agent, person: Terminal, answer: str
) -> None:
    """A decided request is not paced, even for a client that was slowed down to thirty seconds."""
    polling = _Polling(server, agent, agent.request_approval(person.user))
    for _ in range(6):
        polling.after(0)
    pending = person.only_request()
    if answer == "approve":
        person.approve(pending)
    else:
        person.deny(pending)
    response = polling.agent.poll(polling.handle)

    assert response.json().get("error") == (None if answer == "approve" else "access_denied")


def test_an_expired_request_is_answered_immediately(polling: _Polling) -> None:
    """A client that polls an expired request too fast gets expired_token, not slow_down."""
    polling.after(0)
    polling.server.clock.forward(86_400 * SECOND)

    assert {polling.after(0) for _ in range(3)} == {"expired_token"}


def test_the_pace_survives_a_restart(polling: _Polling) -> None:
    """The interval is in the database, so a `kill -9` does not reset it."""
    polling.after(0)
    assert {polling.after(0) for _ in range(5)} == {"slow_down"}
    polling.server.kill()
    polling.server.start()
    assert polling.after(0) == "slow_down"
    assert polling.after(35 * SECOND) == "authorization_pending"


def test_another_agents_handle_is_neither_answered_nor_paced(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """An agent with a stolen handle learns nothing and does not slow down the handle's owner."""
    polling = _Polling(server, agent, agent.request_approval(person.user))
    other_agent = Agent(server.agent(), polling.agent.http)
    assert {other_agent.poll(polling.handle).json()["error"] for _ in range(4)} == {"invalid_grant"}
    assert polling.after(5 * SECOND) == "authorization_pending"
    person.approve(person.only_request())
    assert other_agent.poll(polling.handle).json()["error"] == "invalid_grant"
    assert polling.agent.poll(polling.handle).status_code == 200
