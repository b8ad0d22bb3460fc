"""The PostgreSQL server of the tests keeps its promises."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.servers import postgres
from tests.support.servers.postgres import PostgresMissing, PostgresServer


@pytest.fixture(scope="module")
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A second server, so that killing it cuts nobody else's connection."""
    assert postgres_server.url
    with PostgresServer() as server:
        yield server


def test_a_committed_row_outlives_kill_nine(own_server: PostgresServer) -> None:
    """The URL is the same after a crash, and what was committed is there."""
    url = own_server.new_database()
    _execute(url, "CREATE TABLE kept (n integer)", "INSERT INTO kept VALUES (7)")
    own_server.kill9()
    own_server.start()
    assert _one(url, "SELECT n FROM kept") == (7,)


def test_an_immediate_restart_cuts_open_connections(own_server: PostgresServer) -> None:
    """Whoever was connected gets an error, and a new connection works."""
    url = own_server.new_database()
    with psycopg.connect(_libpq(url)) as connection:
        own_server.restart(immediate=True)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert _one(url, "SELECT 1") == (1,)


def test_two_databases_share_nothing(postgres_server: PostgresServer) -> None:
    """A table of one test is not in the database of the next."""
    first, second = postgres_server.new_database(), postgres_server.new_database()
    _execute(first, "CREATE TABLE mine (n integer)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        _execute(second, "SELECT n FROM mine")


def test_a_machine_without_binaries_gets_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is skipped in silence: the failure says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "_of_debian", list)
    with pytest.raises(PostgresMissing, match="apt-get install -y postgresql"):
        PostgresServer()


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(_libpq(url)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _one(url: str, query: str) -> object:
    with psycopg.connect(_libpq(url)) as connection:
        return connection.execute(query.encode()).fetchone()


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
