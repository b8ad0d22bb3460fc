"""On PostgreSQL, a token that is exchanged while its parent is revoked is also revoked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.builders.databases import upgraded_database
from tests.support.builders.token_chains import BANK, LiveChains
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import AgentKey, LiveServer, live_server

_ROUNDS = 6
_CONCURRENT_EXCHANGES = 8


@pytest.fixture(scope="module")
def server(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Two workers on one database."""
    url = upgraded_database(postgres_server)
    folder: Path = tmp_path_factory.mktemp("race")
    options = ("--workers", "2")
    with live_server(
        folder, forked=True, options=options, database_url=url, **WITHOUT_LIMITS
    ) as running:
        yield running


@pytest.fixture(scope="module")
def chains(server: LiveServer) -> Iterator[LiveChains]:
    """Token chains that begin with a user of a chat app."""
    user, _ = server.user()
    with server.services.store.read() as view:
        person = view.directory.find_user(user)
    assert person is not None
    with server.client() as http:
        chains = LiveChains(server, http, person.id)
        chains.prepare()
        yield chains


@pytest.fixture(scope="module")
def agent(chains: LiveChains) -> AgentKey:
    """An agent with consent to read at the bank."""
    agent = chains.agent()
    chains.consent(agent, "bank:read")
    return agent


def _exchange(server: LiveServer, chains: LiveChains, agent: AgentKey, token: str) -> int:
    with server.client() as http:
        return LiveChains(server, http, chains.user_id).exchange(agent, token).status_code


def test_no_concurrent_exchange_escapes_a_revocation(
    server: LiveServer, chains: LiveChains, agent: AgentKey
) -> None:
    """Every token issued during the revocation is revoked, and none is issued afterwards."""
    for _ in range(_ROUNDS):
        token = chains.user_token()
        jti = chains.claims(token)["jti"]
        with ThreadPoolExecutor(_CONCURRENT_EXCHANGES) as threads:
            sent = [
                threads.submit(_exchange, server, chains, agent, token)
                for _ in range(_CONCURRENT_EXCHANGES)
            ]
            chains.revoke(token)
            codes = [exchange.result() for exchange in sent]
        assert set(codes) <= {200, 400}
        with server.services.store.read() as view:
            issued = view.delegations.descendants(jti)
        assert len(issued) == codes.count(200)
        assert all(row.revoked_at is not None and row.resource == BANK for row in issued)
        assert chains.exchange(agent, token).status_code == 400
