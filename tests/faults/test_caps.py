"""What is capped stays so however many ask at one moment: exactly the cap is accepted, never more.

Two workers on PostgreSQL, where several write at once; one on SQLite. On each the volley fails once
the count is made where another may write before what it counts is written.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.services.ciba.user_codes import MOST_WRONG
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import PAY
from tests.support.clients.simultaneous import Answered, post, volley
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import AgentKey, LiveServer, live_server

_AT_ONCE = 40
_CAP = 5
_SEEDS = {"sqlite": "counted_early", "postgresql": "queued_for_the_person_alone"}

Starter = Callable[..., LiveServer]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> str:
    """Which database it is."""
    return str(request.param)


@pytest.fixture
def start(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Starter]:
    """Starts a server with a small cap: one worker on SQLite, two on PostgreSQL."""
    settings, options = {"open_in_all": str(_CAP)}, ()
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


def _asked(key: AgentKey, **more: str) -> bytes:
    form = {"scope": "openid payments:read", "resource": PAY, **more}
    return post("/bc-authorize", key, form)


def _everybody(server: LiveServer) -> list[Answered]:
    """One agent asks forty people, each for something else than the others, at one moment."""
    key = server.agent()
    names = [server.user()[0] for _ in range(_AT_ONCE)]
    return volley(server.port, [_asked(key, login_hint=name) for name in names])


def _nobody(server: LiveServer) -> list[Answered]:
    """Likewise people whom there are not, where that is not told."""
    key = server.agent()
    names = [f"nobody-{number}" for number in range(_AT_ONCE)]
    return volley(server.port, [_asked(key, login_hint=name) for name in names])


def _check_cap(answers: list[Answered]) -> None:
    """Exactly as many are accepted as the cap says; everybody else is told why not."""
    refused = [answer for answer in answers if answer.status != 200]
    assert len(answers) - len(refused) == _CAP
    assert {(one.status, one.json()["error"]) for one in refused} == {(403, "access_denied")}
    assert {f"{_CAP} open requests" in one.json()["error_description"] for one in refused} == {True}


def test_one_agent_that_asks_everybody_at_once_has_so_many_open_in_all(start: Starter) -> None:
    """I14: each of them is another person, and the cap is one for all of them."""
    _check_cap(_everybody(start()))


def test_nobody_takes_room_as_somebody_does(start: Starter) -> None:
    """Where people are hidden, hints that name nobody come to the same cap."""
    _check_cap(_nobody(start(unknown_user="hide")))


def test_the_check_notices_a_count_that_others_overtake(start: Starter, database: str) -> None:
    """I14: with the fault planted the very same volley is accepted far beyond the cap."""
    answers = _everybody(start(_SEEDS[database]))

    assert [answer.status for answer in answers].count(200) > _CAP
    with pytest.raises(AssertionError):
        _check_cap(answers)


def test_wrong_user_codes_at_once_are_so_many_tries(start: Starter) -> None:
    """Whoever tries codes all at one moment tries no more of them than one after the other."""
    server = start()
    key, (name, _) = server.agent(takes_user_code=True), server.user()
    secrets = server.services.secrets
    with server.services.store.write() as tx:
        user = tx.directory.user_called(name)
        assert user is not None
        tx.user_codes.put(user.id, secrets.user_code_hash(user.id, "kite-7"), tx.now)
    wrong = [_asked(key, login_hint=name, user_code=f"no-{n}") for n in range(_AT_ONCE)]
    said = _counted(volley(server.port, wrong))

    assert said["The user code is wrong."] == MOST_WRONG
    assert sum(said.values()) == _AT_ONCE
    assert len(said) == 2


def _counted(answers: list[Answered]) -> Mapping[str, int]:
    found = [str(answer.json()["error_description"]) for answer in answers]
    return {text: found.count(text) for text in found}
