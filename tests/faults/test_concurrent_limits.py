"""Limits hold under concurrency: exactly as many requests as the limit allows are accepted.

There are two workers on PostgreSQL, where several can write at the same time, and one on SQLite. On
both, the test fails if the count is made before other writers are excluded.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.services.ciba.user_codes import WRONG
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import PAY
from tests.support.clients.simultaneous import Answered, post, volley
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import AgentKey, LiveServer, live_server

_CONCURRENT_REQUESTS = 40
_LIMIT = 5
_SEEDS = {"sqlite": "early_count", "postgresql": "per_user_lock"}

Starter = Callable[..., LiveServer]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database."""
    return str(request.param)


@pytest.fixture
def start(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Starter]:
    """Starts a server with a small limit: one worker on SQLite, two on PostgreSQL."""
    settings, options = {"open_in_all": str(_LIMIT)}, ()
    if database == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        settings["database_url"] = upgraded_database(postgres)
        options = ("--workers", "2")
    with ExitStack() as running:

        def starter(*seeds: str, **more: str) -> LiveServer:
            planted = [word for seed in seeds for word in ("--seed", seed)]
            server = live_server(
                tmp_path, forked=True, options=(*options, *planted), **settings, **more
            )
            return running.enter_context(server)

        yield starter


def _request(key: AgentKey, **more: str) -> bytes:
    form = {"scope": "openid payments:read", "resource": PAY, **more}
    return post("/bc-authorize", key, form)


def _ask_many_users(server: LiveServer) -> list[Answered]:
    """One agent asks forty different users at the same moment."""
    key = server.agent()
    names = [server.user()[0] for _ in range(_CONCURRENT_REQUESTS)]
    return volley(server.port, [_request(key, login_hint=name) for name in names])


def _ask_unknown_users(server: LiveServer) -> list[Answered]:
    """One agent asks forty unknown users, on a server that hides which users exist."""
    key = server.agent()
    names = [f"nobody-{number}" for number in range(_CONCURRENT_REQUESTS)]
    return volley(server.port, [_request(key, login_hint=name) for name in names])


def _check_limit(answers: list[Answered]) -> None:
    """Checks that the limit is reached exactly, and that the others get the reason."""
    refused = [answer for answer in answers if answer.status != 200]
    assert len(answers) - len(refused) == _LIMIT
    assert {(refusal.status, refusal.json()["error"]) for refusal in refused} == {
        (403, "access_denied")
    }
    assert {
        f"{_LIMIT} open requests" in refusal.json()["error_description"] for refusal in refused
    } == {True}


def test_concurrent_requests_of_one_agent_stay_within_its_total_limit(start: Starter) -> None:
    """I14: each request is to a different user, and one limit applies to all of them."""
    _check_limit(_ask_many_users(start()))


def test_requests_to_unknown_users_are_limited_like_other_requests(start: Starter) -> None:
    """Requests to unknown users reach the same limit on a server that hides users."""
    _check_limit(_ask_unknown_users(start(unknown_user="hide")))


def test_the_check_detects_a_count_that_is_not_atomic(start: Starter, database: str) -> None:
    """I14: with the planted fault, the same requests far exceed the limit."""
    answers = _ask_many_users(start(_SEEDS[database]))

    assert [answer.status for answer in answers].count(200) > _LIMIT
    with pytest.raises(AssertionError):
        _check_limit(answers)


def test_concurrent_wrong_user_codes_stay_within_the_limit(start: Starter) -> None:
    """Concurrent wrong codes get no more attempts than codes sent one after the other."""
    server = start()
    key, (name, _) = server.agent(takes_user_code=True), server.user()
    secrets = server.services.secrets
    with server.services.store.write() as tx:
        user = tx.directory.find_user(name)
        assert user is not None
        tx.user_codes.put(user.id, secrets.user_code_hash(user.id, "kite-7"), tx.now)
    wrong = [
        _request(key, login_hint=name, user_code=f"no-{n}") for n in range(_CONCURRENT_REQUESTS)
    ]
    counts = _count_descriptions(volley(server.port, wrong))

    assert counts["The user code is wrong."] == WRONG.value
    assert sum(counts.values()) == _CONCURRENT_REQUESTS
    assert len(counts) == 2


def _count_descriptions(answers: list[Answered]) -> Mapping[str, int]:
    descriptions = [str(answer.json()["error_description"]) for answer in answers]
    return {text: descriptions.count(text) for text in descriptions}
