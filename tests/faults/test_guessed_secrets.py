"""Guesses of a client secret: each further guess takes a second, and nobody is locked out."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from server.serving import client_queues
from tests.support.clients.agent import Agent, new_agent
from tests.support.servers.server import LiveServer, live_server

_FREE_GUESSES = 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that answers three wrong secrets immediately."""
    with live_server(tmp_path, forked=True, options=("--refusals", str(_FREE_GUESSES))) as running:
        yield running


def _seconds(agent: Agent, status: int) -> float:
    began = time.monotonic()
    answer = agent.poll("x")
    assert answer.status_code == status
    return time.monotonic() - began


def _own_token(agent: Agent) -> float:
    began = time.monotonic()
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    assert agent.http.post("/token", data=form, auth=agent.key.basic).status_code == 200
    return time.monotonic() - began


def test_guesses_at_the_same_time_wait_one_after_another(server: LiveServer) -> None:
    """Several connections do not make guessing faster."""
    agent = new_agent(server)
    guesses = [Agent(replace(agent.key, secret="x"), server.client()) for _ in range(4)]
    for _ in range(_FREE_GUESSES):
        _seconds(guesses[0], 401)
    began = time.monotonic()  # a thread may start after another guess has arrived
    with ThreadPoolExecutor(len(guesses)) as threads:
        list(threads.map(lambda guess: _seconds(guess, 401), guesses))
    assert time.monotonic() - began >= len(guesses) * client_queues.REFUSED_SECONDS


def test_each_guess_takes_a_second_and_nobody_is_locked_out(server: LiveServer) -> None:
    """Other clients never wait. The client whose secret is guessed waits only once."""
    agent, other = new_agent(server), new_agent(server)
    guessing = Agent(replace(agent.key, secret="x"), agent.http)
    for _ in range(_FREE_GUESSES):
        _seconds(guessing, 401)
    assert _seconds(guessing, 401) >= client_queues.REFUSED_SECONDS
    assert _own_token(other) < client_queues.REFUSED_SECONDS
    assert _own_token(agent) >= client_queues.REFUSED_SECONDS
    assert _own_token(agent) < client_queues.REFUSED_SECONDS
