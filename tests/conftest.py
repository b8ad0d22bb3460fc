"""What every test may ask for.

Owns: the PostgreSQL server of a test run, and the mark of the tests that need it.
"""

from collections.abc import Iterator

import pytest

from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A private server, started once; without binaries the test fails with the remedy."""
    with PostgresServer() as server:
        yield server


@pytest.hookimpl(tryfirst=True)  # before pytest itself selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever uses `postgres_server` as `postgresql`.

    A fixture that fetches the server only for one of its parameters marks that parameter itself.
    """
    for item in items:
        if "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgresql)
