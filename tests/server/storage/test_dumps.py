"""Database dumps: invalid ones are refused before anything is changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from server.app import build
from server.backups import making, restoring
from server.settings import Settings
from server.storage import dumps
from server.storage.dumps import DumpFailed, InUse
from server.storage.open import SchemaMismatch, upgrade_database
from tests.support.builders import earlier_databases
from tests.support.builders.clock import NOON
from tests.support.servers.postgres import PostgresServer


def test_the_error_about_a_missing_postgresql_program_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message names the program and the package to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        DumpFailed, match=r"pg_restore is not on PATH\. Install PostgreSQL's client"
    ):
        dumps.restore_postgres(tmp_path / "dump", "postgresql://localhost:1/sayso", {})


def test_a_failed_program_reports_the_reason_without_the_password(tmp_path: Path) -> None:
    """The password is not in the program's arguments, so it is not in the error."""
    url = "postgresql://sayso:s3cret-word@localhost:1/sayso"
    with pytest.raises(DumpFailed, match="pg_restore failed: ") as failed:
        dumps.restore_postgres(tmp_path / "dump", url, {"PATH": "/usr/bin"})
    assert "s3cret-word" not in str(failed.value)


def test_a_damaged_sqlite_file_is_refused(tmp_path: Path) -> None:
    """The check reads the whole file, so it finds any damage."""
    (tmp_path / "sayso.db").write_bytes(b"SQLite format 3\0" + b"x" * 4_000)
    with pytest.raises(DumpFailed, match="damaged"):
        dumps.check_sqlite(tmp_path / "sayso.db", "The database")


def test_a_database_with_an_older_schema_is_not_backed_up(tmp_path: Path) -> None:
    """The error says which version can back it up, and does not suggest `sayso init`."""
    settings = Settings(data_dir=tmp_path)
    earlier_databases.make(settings.sqlalchemy_url, "0006", {})
    with pytest.raises(SchemaMismatch, match="Back it up with the earlier version"):
        making.make(settings, tmp_path / "backup", NOON, with_keys=False)
    with pytest.raises(SchemaMismatch, match="older schema"), restoring.in_place(settings, NOON):
        pass


def test_a_damaged_database_is_not_backed_up(tmp_path: Path) -> None:
    """Otherwise, only backups that cannot be restored would be left after some time."""
    settings = Settings(data_dir=tmp_path)
    build(settings).store.close()
    with closing(sqlite3.connect(tmp_path / "sayso.db")) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'outbox'"
        (page,) = connection.execute(query).fetchone()
    with (tmp_path / "sayso.db").open("r+b") as file:
        file.seek((page - 1) * 4_096)
        file.write(b"\xff" * 4_096)
    with pytest.raises(DumpFailed, match="The database is damaged: "):
        making.make(settings, tmp_path / "backup", NOON, with_keys=False)
    assert not (tmp_path / "backup").exists()


def test_a_server_that_starts_during_a_restore_stops_it(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """The restore is refused until the other process has stopped, so none keeps stale data."""
    url = postgres_server.new_database()
    upgrade_database(url, NOON)
    settings = Settings(data_dir=tmp_path, database_url=url)
    build(settings).store.close()
    with restoring.in_place(settings, NOON) as prepared:
        with psycopg.connect(url.replace("+psycopg", "")) as other:
            with pytest.raises(InUse):
                restoring.finish(prepared, ())
            rows = other.execute("SELECT restored_at FROM installation").fetchall()
            assert rows == [(None,)]
        restoring.finish(prepared, ())
