"""An approved request yields one token, even if many polls arrive at the same moment."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import jwt
import pytest

from tests.support.builders import decided_rows
from tests.support.builders.databases import upgraded_database
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.simultaneous import Answered, poll, volley
from tests.support.inputs.random_cases import cases
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_CONCURRENT_POLLS = 50
_ROUNDS = cases(4)

Starter = Callable[..., LiveServer]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Starter]:
    """Starts a server: one worker on SQLite, two on PostgreSQL."""
    settings, options = {}, ()
    if request.param == "postgresql":
        database: PostgresServer = request.getfixturevalue("postgres_server")
        settings = {"database_url": upgraded_database(database)}
        options = ("--workers", "2")
    with ExitStack() as running:

        def starter(*seeds: str) -> LiveServer:
            planted = [word for seed in seeds for word in ("--seed", seed)]
            server = live_server(tmp_path, forked=True, options=(*options, *planted), **settings)
            return running.enter_context(server)

        yield starter


def _round(server: LiveServer, agent: Agent, handle: str) -> list[Answered]:
    return volley(server.port, [poll(agent.key, handle)] * _CONCURRENT_POLLS)


def _rounds(server: LiveServer, rounds: int) -> list[list[Answered]]:
    agent = new_agent(server)
    user, _ = server.user()
    handles = decided_rows.requests(server.services, agent.key.id, user, rounds, approved=True)
    answers = [_round(server, agent, handle) for handle in handles]
    agent.http.close()
    return answers


def tokens(answers: list[Answered]) -> set[str]:
    """Returns the distinct `jti` values of these answers."""
    return {
        jwt.decode(answer.json()["access_token"], options={"verify_signature": False})["jti"]
        for answer in answers
        if answer.status == 200
    }


def _check_one_token(answers: list[Answered]) -> None:
    """Checks that one answer has a token and that all others say that the handle is used.

    A busy database may refuse some of them.
    """
    assert len(tokens(answers)) == 1
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) == _CONCURRENT_POLLS - 1
    errors = {(answer.status, answer.json()["error"]) for answer in refused}
    assert errors - {(503, "temporarily_unavailable")} == {(400, "invalid_grant")}


def test_fifty_concurrent_polls_give_one_token(start: Starter) -> None:
    """I1: in each round one poll gets 200 and 49 get invalid_grant, with one log entry."""
    server = start()
    rounds = _rounds(server, _ROUNDS)
    for answers in rounds:
        _check_one_token(answers)
    with server.services.store.read() as view:
        issued = [e for e in view.audit.tail(10_000) if e.type == "token.issued"]

    assert len(issued) == len({entry.approval_id for entry in issued}) == _ROUNDS


def test_the_check_detects_a_transition_that_reads_and_then_writes(start: Starter) -> None:
    """I1: the planted fault makes the same rounds give several tokens for one request."""
    server = start("read_then_write", "many_tokens_per_approval")
    worst = max(_rounds(server, 3), key=lambda answers: len(tokens(answers)))

    assert len(tokens(worst)) > 1
    with pytest.raises(AssertionError):
        _check_one_token(worst)


def test_the_token_table_is_a_second_guard(start: Starter) -> None:
    """Even if the transition is broken, the database accepts one token per request."""
    server = start("read_then_write")
    assert [len(tokens(answers)) for answers in _rounds(server, 3)] == [1, 1, 1]
