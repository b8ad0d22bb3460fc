"""Fixtures of the storage tests: an empty database of each kind, and a clock.

Owns: creating databases quickly. A SQLite file is copied from an upgraded one. PostgreSQL has one
database, which is emptied before each test.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.services.reactions import react
from server.storage.all_tables import metadata
from server.storage.open import open_store
from server.storage.store import SqlStore
from server.storage.tables import installation
from tests.support.builders.clock import NOON, MovableClock
from tests.support.builders.databases import place_database, upgraded_database
from tests.support.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of an upgraded, empty SQLite file."""
    path: Path = tmp_path_factory.mktemp("template") / "sayso.db"
    place_database(path, NOON)
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer) -> str:
    """The URL of an upgraded PostgreSQL database."""
    return upgraded_database(postgres_server)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a SQLite file for this test."""
    shutil.copy2(sqlite_template, tmp_path / "sayso.db")
    return f"sqlite:///{tmp_path / 'sayso.db'}"


@pytest.fixture(scope="session")
def postgres_engine(postgres_database: str) -> Iterator[sa.Engine]:
    """The engine that empties the PostgreSQL database."""
    engine = sa.create_engine(postgres_database, pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_database: str, postgres_engine: sa.Engine) -> str:
    """The emptied PostgreSQL database. TRUNCATE would take ten times as long: a file per table."""
    numbers = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
    with postgres_engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # no triggers
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))
        connection.execute(sa.text(numbers))
        row = {"id": 1, "admin_version": 1, "created_at": NOON, "epoch": "first"}
        connection.execute(sa.insert(installation), row)
    return postgres_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database, of each kind in turn."""
    kind = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    database_url: str = request.getfixturevalue(kind)
    return database_url


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still until the test moves it."""
    return MovableClock()


@pytest.fixture
def open_database(clock: MovableClock) -> Iterator[Callable[[str], SqlStore]]:
    """A function that opens a database as the server does. All stores are closed at the end."""
    stores: list[SqlStore] = []
    numbers = itertools.count()

    def opener(url: str) -> SqlStore:
        number = len(stores)
        store = open_store(
            url, clock, lambda _: f"{next(numbers):012x}-{number}", react, serving=True
        )
        store.start()
        stores.append(store)
        return store

    yield opener
    for store in stores:
        store.close()


@pytest.fixture
def store(url: str, open_database: Callable[[str], SqlStore]) -> SqlStore:
    """The store as the server opens it."""
    return open_database(url)
