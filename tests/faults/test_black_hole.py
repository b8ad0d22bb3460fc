"""On PostgreSQL: the network path to the database drops all packets silently.

A database that is down refuses connections immediately. A database behind a broken switch or
on a frozen host never responds, but the clients of the server must still get a response.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from tests.support.builders.databases import upgraded_database
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.fakes.proxy import Proxy, proxy
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_READYZ_SECONDS = 2
_REQUEST_SECONDS = 5
_SLACK_SECONDS = 10  # a busy machine is slow, not broken
_CONCURRENT_POLLS = 40


@pytest.fixture
def network(postgres_server: PostgresServer) -> Iterator[tuple[Proxy, str]]:
    """A network path to a new database, and the database's URL over it."""
    direct_url = make_url(upgraded_database(postgres_server))
    assert direct_url.port is not None
    with proxy(direct_url.port) as path:
        url_over_proxy = direct_url.set(host="127.0.0.1", port=path.port)
        yield path, url_over_proxy.render_as_string(hide_password=False)


@pytest.fixture
def server(
    request: pytest.FixtureRequest, network: tuple[Proxy, str], tmp_path: Path
) -> Iterator[LiveServer]:
    """A server that uses this path to its database. A test can plant a fault in the server."""
    planted = ("--seed", request.param) if hasattr(request, "param") else ()
    with live_server(tmp_path, forked=True, options=planted, database_url=network[1]) as running:
        yield running


def _readiness(server: LiveServer, slack: int = _SLACK_SECONDS) -> int:
    timeout = _READYZ_SECONDS + slack
    with httpx.Client(base_url=server.url, timeout=timeout, trust_env=False) as http:
        return http.get("/readyz").status_code


def _poll(server: LiveServer, agent: Agent, handle: str, slack: int) -> int:
    timeout = _REQUEST_SECONDS + slack
    with httpx.Client(base_url=server.url, timeout=timeout, trust_env=False) as http:
        return Agent(agent.key, http).poll(handle).status_code


def _check(server: LiveServer, network: Proxy, slack: int = _SLACK_SECONDS) -> None:
    """Check that every client gets a response in time, and that requests succeed afterward."""
    agent = new_agent(server)
    handle = agent.request_approval(server.user()[0])
    with ThreadPoolExecutor(_CONCURRENT_POLLS + 1) as threads:
        network.freeze()
        try:
            ready = threads.submit(_readiness, server, slack)
            polls = [
                threads.submit(_poll, server, agent, handle, slack)
                for _ in range(_CONCURRENT_POLLS)
            ]
            assert ready.result() == httpx.codes.SERVICE_UNAVAILABLE
            assert {poll.result() for poll in polls} == {httpx.codes.SERVICE_UNAVAILABLE}
            assert agent.http.get("/healthz").is_success
        finally:
            network.thaw()
    until(lambda: _readiness(server) == httpx.codes.OK, 30)
    assert agent.poll(handle).json()["error"] in {"authorization_pending", "slow_down"}


def test_no_client_waits_for_a_database_that_does_not_respond(
    server: LiveServer, network: tuple[Proxy, str]
) -> None:
    """I23: `/readyz` returns 503 within two seconds, and requests fail within five."""
    _check(server, network[0])


@pytest.mark.parametrize("server", ["no_database_timeout"], indirect=True)
def test_the_check_detects_a_server_that_waits_forever(
    server: LiveServer, network: tuple[Proxy, str]
) -> None:
    """I23: without a timeout, requests hang as long as the database does."""
    with pytest.raises((AssertionError, httpx.TimeoutException)):
        _check(server, network[0], slack=1)
