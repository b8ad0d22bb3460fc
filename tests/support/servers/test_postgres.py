"""Tests of the PostgreSQL server that other tests use."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.servers import postgres
from tests.support.servers.postgres import PostgresMissing, PostgresServer


@pytest.fixture(scope="module")
def own_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """Run a second server, so that killing it does not cut the connections of other tests."""
    assert postgres_server.url
    with PostgresServer() as server:
        yield server


def test_a_committed_row_outlives_kill_nine(own_server: PostgresServer) -> None:
    """After a crash the server has the same URL and the committed row."""
    url = own_server.new_database()
    _execute(url, "CREATE TABLE kept (n integer)", "INSERT INTO kept VALUES (7)")
    own_server.kill9()
    own_server.start()
    assert _one(url, "SELECT n FROM kept") == (7,)


def test_an_immediate_restart_cuts_open_connections(own_server: PostgresServer) -> None:
    """An open connection gets an error, and a new connection works."""
    url = own_server.new_database()
    with psycopg.connect(_libpq(url)) as connection:
        own_server.restart(immediate=True)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert _one(url, "SELECT 1") == (1,)


def test_two_databases_share_nothing(postgres_server: PostgresServer) -> None:
    """A table in one new database does not exist in the next one."""
    first, second = postgres_server.new_database(), postgres_server.new_database()
    _execute(first, "CREATE TABLE mine (n integer)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        _execute(second, "SELECT n FROM mine")


def test_a_machine_without_binaries_gets_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without binaries the tests are not skipped silently: the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "_debian_folders", list)
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
