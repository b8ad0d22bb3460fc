"""Long polling: a held poll is answered immediately when something happens."""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx
import pytest

from server.services.approvals.oversight import Oversight
from server.services.clients.agents import Agents
from server.services.users.users import Users
from tests.support.builders.clock import DAY, SECOND
from tests.support.checks.log_and_rows import state, story
from tests.support.checks.log_and_rows import waiting as waiting_for
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer

IMMEDIATE_SECONDS = 15.0
"""Seconds. Without a wake-up, a held poll would end only after its wait, which is far longer."""


class _HeldPoll:
    """A poll that is held while the block runs."""

    def __init__(self, server: LiveServer, agent: Agent, handle: str, prefer: str = "wait=20"):
        self._server, self._agent, self._handle = server, agent, handle
        self._prefer = prefer
        self._http = server.client()
        self._threads = ThreadPoolExecutor(1)
        self._answer: Future[httpx.Response]

    def __enter__(self) -> Self:
        polls = _count_polls(self._server, self._agent)
        poll = Agent(self._agent.key, self._http).poll
        self._answer = self._threads.submit(poll, self._handle, prefer=self._prefer)
        until(lambda: _count_polls(self._server, self._agent) > polls)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        self._http.close()

    @property
    def is_waiting(self) -> bool:
        """Whether the poll has no answer yet."""
        return not self._answer.done()

    def answer(self, seconds: float = IMMEDIATE_SECONDS) -> httpx.Response:
        """Returns the answer, which must come within this time."""
        return self._answer.result(seconds)


def test_a_held_poll_is_released_by_an_approval(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """An early poll is held, not slowed down. Its answer has the token and states the wait."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with _HeldPoll(server, agent, handle) as held_poll:
        assert held_poll.is_waiting
        person.approve(pending)
        answer = held_poll.answer()

    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.json()["access_token"]


def test_a_held_poll_is_released_by_a_denial(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The poll's answer has the code of the denial."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with _HeldPoll(server, agent, handle) as held_poll:
        person.deny(pending, "suspicious")
        answer = held_poll.answer()

    assert (answer.status_code, answer.json()["deny_code"]) == (400, "suspicious")


def test_a_held_poll_is_released_by_a_withdrawal(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The poll returns cancelled when an administrator withdraws the request in another process."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with _HeldPoll(server, agent, handle) as held_poll:
        Oversight(server.services.store).cancel(pending.id, "The run was stopped.", by=BY)
        body = held_poll.answer().json()

    assert (body["error"], body["reason"]) == ("access_denied", "cancelled")


def test_a_held_poll_is_released_when_its_agent_is_disabled(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """The server checks the agent again when it releases the poll."""
    handle = agent.request_approval(user)
    with _HeldPoll(server, agent, handle) as held_poll:
        Agents(server.services.store, server.services.secrets).disable(agent.key.id, by=BY)
        answer = held_poll.answer()

    assert answer.status_code == 400
    body = answer.json()
    assert (body["error"], body["reason"]) == ("unauthorized_client", "agent_disabled")


def test_a_held_poll_is_released_when_its_user_is_disabled(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """No user is left to answer, so the poll returns cancelled."""
    handle = agent.request_approval(user)
    with _HeldPoll(server, agent, handle) as held_poll:
        Users(server.services.store, server.services.secrets).disable(user, by=BY)
        body = held_poll.answer().json()

    assert (body["error"], body["reason"]) == ("access_denied", "cancelled")


def test_a_held_poll_is_released_by_expiry(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The poll ends when the request expires on the server's clock, before the wait is over."""
    handle = agent.request_approval(person.user)
    with _HeldPoll(server, agent, handle) as held_poll:
        server.clock.forward(DAY)
        body = held_poll.answer().json()

    assert (body["error"], body["reason"]) == ("expired_token", "undeliverable")


@pytest.mark.parametrize("prefer", ["wait=1", "respond-async, wait=1", 'wait="1"; x=y', "wait = 1"])
def test_a_wait_ends_with_authorization_pending(agent: Agent, user: str, prefer: str) -> None:
    """The answer arrives after the requested wait of one second, not earlier and not much later."""
    handle = agent.request_approval(user)
    began = time.monotonic()
    answer = agent.poll(handle, prefer=prefer)
    took = time.monotonic() - began

    assert answer.json()["error"] == "authorization_pending"
    assert 0.9 < took < 20


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=soon", "await=9", "respond-async"])
def test_an_invalid_wait_preference_is_answered_immediately(
    server: LiveServer, agent: Agent, user: str, prefer: str
) -> None:
    """RFC 7240: an invalid preference is ignored and not reported as applied."""
    handle = agent.request_approval(user)
    server.clock.forward(5 * SECOND)
    began = time.monotonic()
    answer = agent.poll(handle, prefer=prefer)

    assert answer.json()["error"] == "authorization_pending"
    assert time.monotonic() - began < 5
    assert "preference-applied" not in answer.headers


def test_a_poll_is_held_for_55_seconds_at_most(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A longer wait is reduced to 55 seconds, and the answer's header says so."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with _HeldPoll(server, agent, handle, "wait=600") as held_poll:
        person.approve(pending)
        answer = held_poll.answer()

    assert answer.headers["preference-applied"] == "wait=55"


def test_a_newer_held_poll_replaces_the_older(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-130: the older poll gets authorization_pending, and the newer one gets the token."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with _HeldPoll(server, agent, handle) as older, _HeldPoll(server, agent, handle) as newer:
        older_answer = older.answer()
        assert newer.is_waiting
        person.approve(pending)
        answer = newer.answer()

    assert older_answer.json()["error"] == "authorization_pending"
    assert answer.status_code == 200
    assert story(server, pending.id).count("token.issued") == 1


def test_held_polls_are_not_paced(server: LiveServer, agent: Agent, user: str) -> None:
    """Early held polls get no slow_down, and the interval does not grow."""
    handle = agent.request_approval(user)
    answers = [agent.poll(handle, prefer="wait=1").json()["error"] for _ in range(3)]
    server.clock.forward(5 * SECOND)

    assert answers == ["authorization_pending"] * 3
    assert agent.poll(handle).json()["error"] == "authorization_pending"
    assert [approval.interval_ms for approval in waiting_for(server, user)] == [5 * SECOND]


def test_an_answered_request_is_not_held(agent: Agent, person: Terminal) -> None:
    """A poll of an approved request returns its token immediately."""
    handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    began = time.monotonic()

    assert agent.poll(handle, prefer="wait=30").status_code == 200
    assert time.monotonic() - began < IMMEDIATE_SECONDS


def test_a_disconnected_client_does_not_lose_its_token(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A client that disconnects gets the one token with its Idempotency-Key later."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    short_timeout_agent = Agent(agent.key, server.client(timeout=0.5))
    with short_timeout_agent.http, pytest.raises(httpx.ReadTimeout):
        short_timeout_agent.poll(handle, prefer="wait=20", idempotency_key="mine")
    person.approve(pending)
    until(lambda: state(server, pending.id)[0] in {"approved", "redeemed"})
    answer = agent.poll(handle, idempotency_key="mine")

    assert answer.status_code == 200
    assert story(server, pending.id).count("token.issued") == 1


def test_held_polls_use_no_processor_time(server: LiveServer, user: str) -> None:
    """Forty held polls use almost no processor time while nothing happens."""
    with ExitStack() as closing:
        agents = [Agent(server.agent(), closing.enter_context(server.client())) for _ in range(5)]
        _hold_forty(server, user, agents)


def _hold_forty(server: LiveServer, user: str, agents: list[Agent]) -> None:
    handles = [(agent, agent.request_approval(user)) for agent in agents for _ in range(8)]
    before_any = _cpu_seconds(server, 1.5)
    with ThreadPoolExecutor(len(handles)) as threads:
        futures = [
            threads.submit(polling_agent.poll, handle, prefer="wait=50")
            for polling_agent, handle in handles
        ]
        until(lambda: sum(_count_polls(server, agent) for agent in agents) == len(handles), 30)
        cpu_seconds = _cpu_seconds(server, 1.5)
        assert not any(answer.done() for answer in futures)
        for polling_agent in agents:
            Agents(server.services.store, server.services.secrets).disable(
                polling_agent.key.id, by=BY
            )
        errors = {answer.result(30).json()["error"] for answer in futures}

    assert cpu_seconds < before_any + 0.6
    assert errors == {"unauthorized_client"}


def test_a_stopping_server_answers_held_polls(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """After SIGTERM held polls get authorization_pending, and the process ends in time."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    with _HeldPoll(server, agent, handle) as held_poll:
        took = server.stop()
        answer = held_poll.answer()
    server.start()
    person.approve(pending)

    assert answer.json()["error"] == "authorization_pending"
    assert took < 28
    assert agent.poll(handle).status_code == 200


def test_an_idle_server_stops_immediately(server: LiveServer, agent: Agent) -> None:
    """A connection that is kept alive does not delay shutdown."""
    assert agent.http.get("/healthz").status_code == 200
    took = server.stop()
    server.start()

    assert took < 20


def _count_polls(server: LiveServer, agent: Agent) -> int:
    with server.services.store.read() as view:
        approvals = view.approvals.open_of_agent(agent.key.id)
    return sum(approval.polls for approval in approvals)


def _cpu_seconds(server: LiveServer, seconds: float) -> float:
    """Returns the processor time that the server's processes use in this time."""
    before = _ticks(server)
    time.sleep(seconds)
    return (_ticks(server) - before) / os.sysconf("SC_CLK_TCK")


def _ticks(server: LiveServer) -> int:
    assert server.process is not None
    group = server.process.pid
    stats = [_stat(path) for path in Path("/proc").glob("[0-9]*/stat")]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat and int(stat[2]) == group)


def _stat(path: Path) -> list[str]:
    """Returns the fields of a process, or none if that process has just ended."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []
