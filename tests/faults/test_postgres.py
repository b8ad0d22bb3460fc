"""On PostgreSQL: two workers, two machines, and a database that goes away and returns."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server.services.clients.agents import Agents
from tests.support.builders.databases import upgraded_database
from tests.support.checks.ledger import read_ledger
from tests.support.checks.log_and_rows import story
from tests.support.checks.waiting import in_background, until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.load import WITHOUT_LIMITS, Load, new_load
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_RED_SECONDS = 2
_FAIL_SECONDS = 5
_SLACK_SECONDS = 10  # a busy machine is slow, not broken


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The PostgreSQL server, which is running again after the tests."""
    yield postgres_server
    postgres_server.stop()
    postgres_server.start()


def _settings_for(database: PostgresServer) -> dict[str, str]:
    return {"database_url": upgraded_database(database), **WITHOUT_LIMITS}


@pytest.fixture(scope="module")
def server(
    database: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Two workers on one database."""
    folder: Path = tmp_path_factory.mktemp("two")
    with live_server(
        folder, forked=True, options=("--workers", "2"), **_settings_for(database)
    ) as running:
        yield running


@pytest.fixture(scope="module")
def other_machine(server: LiveServer) -> Iterator[LiveServer]:
    """A second machine's server with the same database, keys and issuer."""
    other = LiveServer(server.folder, {**server.settings, "issuer": server.url}, forked=True)
    other.start()
    yield other
    other.closing.close()
    other.kill()


@pytest.fixture
def agent(server: LiveServer) -> Iterator[Agent]:
    """An agent for one test."""
    test_agent = new_agent(server)
    yield test_agent
    test_agent.http.close()


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user for one test."""
    terminal = new_person(server)
    yield terminal
    terminal.client.close()


@pytest.fixture
def load(server: LiveServer) -> Iterator[Load]:
    """A load on the server."""
    running_load = new_load(server)
    yield running_load
    running_load.close()


def _ask_at(server: LiveServer, agent: Agent, user: str) -> str:
    with server.client() as http:
        return Agent(agent.key, http).request_approval(user)


def test_the_main_flow_works_on_postgresql(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A request is approved with a PIN and redeemed once, and the audit log has every step."""
    request = agent.ask_payment(person.user).json()
    pending = person.only_request()
    person.approve(pending)
    first, second = agent.poll(request["auth_req_id"]), agent.poll(request["auth_req_id"])

    assert (first.status_code, second.json()["error"]) == (200, "invalid_grant")
    assert sorted(story(server, pending.id)) == [
        "approval.approved",
        "approval.requested",
        "handle.reused",
        "token.issued",
    ]


def test_a_request_on_one_machine_appears_on_another(
    server: LiveServer, other_machine: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A socket at the other machine gets the request and the decision."""
    with open_feed(person, port=other_machine.port) as line:
        _ask_at(server, agent, person.user)
        requested = line.event("approval.requested")
        person.deny(person.only_request())
        decided = line.event("approval.decided")

    assert requested["approval"]["id"] == decided["approval"]["id"]
    assert decided["seq"] > requested["seq"]


def test_a_poll_held_on_one_machine_is_answered_by_a_decision_on_another(
    server: LiveServer, other_machine: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The poll is answered when the decision is made, not at the end of its wait."""
    handle = _ask_at(server, agent, person.user)
    with other_machine.client() as http:
        began = time.monotonic()
        with in_background(
            lambda: Agent(agent.key, http).poll(handle, prefer="wait=50")
        ) as held_poll:
            person.approve(person.only_request())
            assert held_poll.result(30).status_code == 200

    assert time.monotonic() - began < 45


def test_disabling_an_agent_on_one_machine_applies_to_the_other_immediately(
    server: LiveServer, other_machine: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent's next request at the other machine is refused."""
    with other_machine.client() as http:
        second_agent = Agent(agent.key, http)
        assert second_agent.ask(person.user).status_code == 200
        Agents(server.services.store, server.services.secrets).disable(agent.key.id, by="operator")
        refused = second_agent.ask(person.user)

    assert refused.json()["error"] == "unauthorized_client"


def test_eight_concurrent_writers_lose_no_event(
    server: LiveServer, other_machine: LiveServer, person: Terminal
) -> None:
    """Two machines with two workers each write at the same time. Each socket gets every request."""
    keys = [server.agent() for _ in range(8)]

    def ask(number: int) -> None:
        with (server, other_machine)[number % 2].client() as http:
            for _ in range(8):
                Agent(keys[number], http).request_approval(person.user)

    with open_feed(person) as first_feed, open_feed(person, port=other_machine.port) as second_feed:
        with ThreadPoolExecutor(8) as threads:
            for writer in [threads.submit(ask, number) for number in range(8)]:
                writer.result(60)
        received = [
            [line.event("approval.requested") for _ in range(64)]
            for line in (first_feed, second_feed)
        ]

    for events in received:
        numbers = [event["seq"] for event in events]
        assert numbers == sorted(set(numbers))
        assert len({event["approval"]["id"] for event in events}) == 64


def test_an_immediate_database_restart_loses_nothing_acknowledged(
    server: LiveServer, database: PostgresServer, load: Load
) -> None:
    """Requests during the restart are told to retry, and afterwards everything agrees."""
    with load.running():
        until(lambda: len(load.answers) > 2, 30)
        database.restart(immediate=True)
        before = len(load.answers)
        until(lambda: len(load.answers) > before + 2, 30)
        database.kill9()
        database.start()
        before = len(load.answers)
        until(lambda: len(load.answers) > before + 2, 30)
    ledger = read_ledger(server.settings["database_url"])

    assert load.faults == []
    assert {name: ledger.decisions.get(name) for name in load.answers} == load.answers
    assert set(load.tokens) <= set(ledger.tokens.values())
    assert ledger.discrepancies() == []


def _measure(call: Callable[[], httpx.Response]) -> tuple[int, float]:
    began = time.monotonic()
    return call().status_code, time.monotonic() - began


def test_without_its_database_the_server_fails_fast_and_recovers_by_itself(
    server: LiveServer, database: PostgresServer, agent: Agent, person: Terminal
) -> None:
    """Readiness turns red in two seconds, requests fail in five, and liveness stays green."""
    handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    database.kill9()
    with server.client() as http, ThreadPoolExecutor(8) as threads:
        ready = _measure(lambda: http.get("/readyz"))
        polls = [threads.submit(_measure, lambda: agent.poll(handle)) for _ in range(8)]
        failed = [poll.result(30) for poll in polls]
        alive = http.get("/healthz").status_code
        database.start()
        until(lambda: http.get("/readyz").status_code == 200, 60)
        token = agent.poll(handle)

    assert ready[0] == 503
    assert ready[1] < _RED_SECONDS + _SLACK_SECONDS
    assert {status for status, _ in failed} == {503}
    assert max(took for _, took in failed) < _FAIL_SECONDS + _SLACK_SECONDS
    assert alive == 200
    assert token.status_code == 200
