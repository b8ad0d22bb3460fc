"""Databases as earlier versions created them, with the rows that a test specifies."""

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
"""Table → its rows; columns that a row does not name are NULL, empty, zero or false."""
_EMPTY: Mapping[type, object] = {str: "", int: 0, bool: False, bytes: b""}


def make(url: str, schema: str, rows: Rows) -> None:
    """Create the tables of this schema version, and insert these rows."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        scripts = Path(folder) / "migrations"
        shutil.copytree(upgrading._SCRIPTS, scripts)
        for script in (scripts / "versions").glob("0*.py"):
            if script.name[: len(schema)] > schema:
                script.unlink()
        monkeypatch.setattr(upgrading, "_SCRIPTS", scripts)
        monkeypatch.setattr(opening, "SCHEMA", schema)
        monkeypatch.setattr(opening, "_upgrade", _upgrade_without_row)
        upgrade_database(url, NOON)
    installation: dict[str, object] = {"id": 1, "admin_version": 1, "created_at": NOON}
    with connected(url) as connection:
        for name, table_rows in [("installation", [installation]), *rows.items()]:
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(sa.insert(table), [_fill_columns(table, row) for row in table_rows])


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Yield a connection that commits at the end."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _upgrade_without_row(engine: sa.Engine, now: int, *, is_new: bool) -> None:
    """Upgrade without inserting the installation row, whose columns old tables lack."""
    assert (now, is_new) == (NOON, True)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrading.upgrade(connection)
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")


def _fill_columns(table: sa.Table, row: Mapping[str, object]) -> dict[str, object]:
    return {
        column.name: None if column.nullable else _EMPTY[column.type.python_type]
        for column in table.columns
    } | dict(row)
