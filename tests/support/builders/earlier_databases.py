"""Databases as earlier versions made them, with the rows that a test names."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.storage import open as opening
from server.storage import upgrade as upgrading
from server.storage.open import upgrade_database
from tests.support.builders.clock import NOON

Rows = Mapping[str, list[dict[str, object]]]
"""Table → its rows; what a row does not name is empty, zero or false."""
_EMPTY: Mapping[type, object] = {str: "", int: 0, bool: False, bytes: b""}


def make(url: str, schema: str, rows: Rows) -> None:
    """Make the tables of this schema, and put these rows there."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as then:
        scripts = Path(folder) / "migrations"
        shutil.copytree(upgrading._SCRIPTS, scripts)
        for script in (scripts / "versions").glob("0*.py"):
            if script.name[: len(schema)] > schema:
                script.unlink()
        then.setattr(upgrading, "_SCRIPTS", scripts)
        then.setattr(opening, "SCHEMA", schema)
        then.setattr(opening, "_upgrade", _without_a_row)
        upgrade_database(url, NOON)
    one: dict[str, object] = {"id": 1, "admin_version": 1, "created_at": NOON}
    with connected(url) as connection:
        for name, those in [("installation", [one]), *rows.items()]:
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.insert(table), [_whole(table, row) for row in those])


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """A connection that commits at the end."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _without_a_row(engine: sa.Engine, now: int, *, is_new: bool) -> None:
    """Today's program writes a row that has columns which the tables of then have not."""
    assert (now, is_new) == (NOON, True)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrading.upgrade(connection)
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")


def _whole(table: sa.Table, row: Mapping[str, object]) -> dict[str, object]:
    return {
        column.name: None if column.nullable else _EMPTY[column.type.python_type]
        for column in table.columns
    } | dict(row)
