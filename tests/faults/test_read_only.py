"""PostgreSQL turns read-only, as in a failover: nothing takes effect, and reads work."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from approver_tui.client.errors import ApiError
from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.builders.databases import upgraded_database
from tests.support.checks.ledger import read_ledger
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_SET = "ALTER DATABASE {} SET default_transaction_read_only = on"
_RESET = "ALTER DATABASE {} RESET default_transaction_read_only"
_CUT = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def server(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[LiveServer]:
    """A server with its own database."""
    url = upgraded_database(postgres_server)
    with live_server(tmp_path, forked=True, database_url=url) as running:
        yield running


@contextmanager
def _by_setting(_postgres: PostgresServer, url: str) -> Iterator[None]:
    """Makes new sessions read-only and cuts the open ones; undone at the end."""
    name = sql.Identifier(make_url(url).database or "")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(sql.SQL(_SET).format(name))
        connection.execute(_CUT)
        yield
        connection.execute(sql.SQL(_RESET).format(name))


@contextmanager
def _by_standby(postgres: PostgresServer, _url: str) -> Iterator[None]:
    """Turns the whole server into a hot standby, and promotes it at the end."""
    postgres.stand_by()
    try:
        yield
    finally:
        postgres.promote()


@pytest.mark.parametrize("read_only", [_by_setting, _by_standby])
def test_a_read_only_database_refuses_changes_until_it_can_write(
    server: LiveServer,
    postgres_server: PostgresServer,
    read_only: Callable[[PostgresServer, str], AbstractContextManager[None]],
) -> None:
    """Requests, decisions, tokens and proofs get 503, and pages are still shown."""
    agent, person, terminal = new_agent(server), new_web_person(server), new_person(server)
    url = server.settings["database_url"]
    approved, waiting = (_ask(agent, person) for _ in range(2))
    assert person.decide(approved.id, person.assertion(approved.id)).is_success
    answer = person.assertion(waiting.id)
    with read_only(postgres_server, url):
        before = read_ledger(url)
        assert person.http.get("/").is_success
        assert person.http.get("/api/approvals?state=waiting").json()["items"]
        _check_refused(agent.ask(person.name))
        _check_refused(agent.poll(approved.handle))
        refused = person.decide(waiting.id, answer)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        with pytest.raises(ApiError) as error:
            terminal.waiting()  # a proof that was used cannot be stored
        assert error.value.status == 503
        assert read_ledger(url) == before
        assert _run_doctor(server).returncode == 1
    assert _run_doctor(server).returncode == 0
    until(lambda: agent.poll(approved.handle).status_code == 200)
    until(lambda: person.decide(waiting.id, answer).is_success)
    until(lambda: _can_list(terminal))
    until(lambda: agent.ask(person.name).is_success)
    assert "Traceback" not in server.log
    agent.http.close()
    person.http.close()


def _run_doctor(server: LiveServer) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "server", "doctor"]
    return subprocess.run(command, env=server.environment, capture_output=True, check=False)


@dataclass(frozen=True, slots=True)
class _Request:
    handle: str
    id: str


def _ask(agent: Agent, person: WebPerson) -> _Request:
    """Asks this user and returns the newest of their pending requests."""
    auth_req_id = agent.request_approval(person.name)
    items = person.http.get("/api/approvals?state=waiting").json()["items"]
    return _Request(auth_req_id, max(item["id"] for item in items))


def _can_list(terminal: Terminal) -> bool:
    """Returns whether the server accepts a proof; each pooled session may refuse once more."""
    try:
        return terminal.waiting() == ()
    except ApiError:
        return False


def _check_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert "Retry-After" in answer.headers
