"""A database is opened, created, upgraded, or refused with an error that says how to fix it."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.crypto.secrets import EntryIdGenerator
from server.model.store import Busy
from server.services.reactions import react
from server.storage import open as opening
from server.storage import postgres_connection
from server.storage import upgrade as upgrading
from server.storage.all_tables import metadata
from server.storage.dumps import dump
from server.storage.open import SCHEMA, SchemaMismatch, backup_sqlite, open_store, upgrade_database
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON, MovableClock
from tests.support.checks.source import ROOT
from tests.support.inputs.random_cases import cases
from tests.support.servers import forking
from tests.support.servers.postgres import PostgresServer

_OPEN = """
import sys
from server.services.reactions import react
from server.storage.open import open_store
from tests.support.builders.clock import MovableClock
print("ready", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1], MovableClock(), str, react, serving=False)
with store.write() as tx:
    tx.counters.count("opened", 1000)
store.close()
"""
_NEXT = "9998"
_NEXT_MIGRATION = f"""
from alembic import op
import sqlalchemy as sa
revision, down_revision = "{_NEXT}", "{SCHEMA}"
def upgrade():
    op.add_column("users", sa.Column("nickname", sa.Text()))
"""


@pytest.fixture
def next_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer program, which has one more migration."""
    scripts = tmp_path / "migrations"
    shutil.copytree(upgrading._SCRIPTS, scripts)
    (scripts / "versions" / f"{_NEXT}_nicknames.py").write_text(_NEXT_MIGRATION)
    monkeypatch.setattr(upgrading, "_SCRIPTS", scripts)
    monkeypatch.setattr(opening, "SCHEMA", _NEXT)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every SQLite connection that the test opens."""
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def connect_and_keep(*args: Any, **options: Any) -> sqlite3.Connection:
        connections.append(connect(*args, **options))
        return connections[-1]

    monkeypatch.setattr(opening.sqlite3, "connect", connect_and_keep)
    return connections


def _open_and_close(url: str) -> None:
    open_store(url, MovableClock(), str, react, serving=False).close()


def _set_version(url: str, version: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    engine.dispose()


def _version(url: str) -> str:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_gets_all_tables_and_its_installation_row(tmp_path: Path) -> None:
    """Opening creates the folder, the file and the schema."""
    path = tmp_path / "new" / "folder" / "sayso.db"
    store = open_store(f"sqlite:///{path}", MovableClock(), str, react, serving=False)
    with store.read() as view:
        assert view.version == 1
        assert view.users.all() == []
    store.close()

    connection = sqlite3.connect(path)
    tables = {
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
    connection.close()
    assert set(metadata.tables) <= tables
    assert _version(f"sqlite:///{path}") == SCHEMA


def test_a_file_of_the_current_schema_is_left_unchanged(sqlite_url: str, tmp_path: Path) -> None:
    """The file is not copied or upgraded, and no lock file is created."""
    before = sorted(path.name for path in tmp_path.iterdir())
    _open_and_close(sqlite_url)

    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.usefixtures("next_program")
def test_an_older_file_is_copied_and_upgraded(sqlite_url: str, tmp_path: Path) -> None:
    """The copy includes rows that are only in the write-ahead log."""
    in_use = sqlite3.connect(tmp_path / "sayso.db")
    in_use.execute("PRAGMA journal_mode=WAL")
    in_use.execute("INSERT INTO counters VALUES ('in the log', 1, 1)")
    in_use.commit()
    _open_and_close(sqlite_url)
    in_use.close()

    copy = tmp_path / f"sayso.db.before-{_NEXT}"
    assert _version(sqlite_url) == _NEXT
    assert _version(f"sqlite:///{copy}") == SCHEMA
    old = sqlite3.connect(copy)
    assert old.execute("SELECT key FROM counters").fetchall() == [("in the log",)]
    old.close()
    assert _mode(copy) == 0o600


@pytest.mark.usefixtures("next_program")
def test_a_failed_upgrade_changes_nothing(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old program still opens the file, and the next attempt upgrades it."""
    migration = tmp_path / "migrations" / "versions" / f"{_NEXT}_nicknames.py"
    source = migration.read_text()
    migration.write_text(source + "    raise RuntimeError('half way')\n")
    with pytest.raises(RuntimeError, match="half way"):
        _open_and_close(sqlite_url)
    with monkeypatch.context() as old_program:
        old_program.setattr(opening, "SCHEMA", SCHEMA)
        _open_and_close(sqlite_url)

    migration.write_text(source)
    _open_and_close(sqlite_url)
    assert _version(sqlite_url) == _NEXT


def test_the_error_about_a_newer_database_says_how_to_fix_it(url: str) -> None:
    """The newer database is refused and stays unchanged."""
    _set_version(url, "9999")
    try:
        with pytest.raises(SchemaMismatch, match="Use the newer program, or restore the copy"):
            _open_and_close(url)
        with pytest.raises(SchemaMismatch):
            upgrade_database(url, NOON)
        assert _version(url) == "9999"
    finally:
        _set_version(url, SCHEMA)


def test_an_older_postgresql_database_is_refused_until_it_is_upgraded(
    postgres_server: PostgresServer,
) -> None:
    """Several machines share it, so it is not upgraded implicitly. The error names the command."""
    url = postgres_server.new_database()
    assert upgrade_database(url, NOON) == ""
    _set_version(url, "0001")
    with pytest.raises(SchemaMismatch, match="sayso db upgrade"):
        _open_and_close(url)
    _set_version(url, SCHEMA)

    assert upgrade_database(url, NOON) == SCHEMA
    _open_and_close(url)


def test_init_creates_the_tables_of_an_empty_postgresql_database(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Errors of other commands name `sayso init` before that. A second init creates nothing."""
    url = postgres_server.new_database()
    with pytest.raises(SchemaMismatch, match="Run: sayso init"):
        _open_and_close(url)
    environment = {**os.environ, "SAYSO_DATA_DIR": str(tmp_path), "SAYSO_DATABASE_URL": url}

    assert forking.run(["init", "--admin", "ana"], environment).returncode == 0
    second = forking.run(["init", "--admin", "ana"], environment)
    assert (second.returncode == 0, "ana" in second.stderr) == (False, True)
    _open_and_close(url)


def test_two_upgrades_of_a_postgresql_database_at_the_same_time_succeed(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Each of several machines may upgrade before it starts. The second one has nothing to do."""
    url = postgres_server.new_database()
    environment = {**os.environ, "SAYSO_DATA_DIR": str(tmp_path), "SAYSO_DATABASE_URL": url}

    def upgrade(_: int) -> int:
        return forking.run(["db", "upgrade"], environment).returncode

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(upgrade, range(2))) == [0, 0]
    _open_and_close(url)


@pytest.mark.parametrize("table", ["installation", "installation, alembic_version"])
def test_a_command_says_that_a_backup_is_being_restored_on_postgresql(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """A restore locks other connections out of some tables at first, and of one until its end."""
    monkeypatch.setattr(postgres_connection, "_SERVER_OPTIONS", "-c statement_timeout=300")
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as restore:
        restore.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Busy, match="A backup is being restored here"):
            open_store(postgres_url, MovableClock(), EntryIdGenerator().new, react, serving=False)
    open_store(postgres_url, MovableClock(), EntryIdGenerator().new, react, serving=False).close()


def test_the_options_in_a_database_url_apply_to_every_connection(
    postgres_server: PostgresServer,
) -> None:
    """The tables can be in a schema that only the search path of the URL names."""
    url = postgres_server.new_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE SCHEMA apart")
    apart = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dapart"
    upgrade_database(apart, NOON)
    _open_and_close(apart)
    with pytest.raises(SchemaMismatch, match="The database is empty"):
        _open_and_close(url)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"database": "missing"}, 'database "missing" does not exist'),
        ({"username": "nobody"}, 'authentication failed for user "nobody"'),
        ({"port": 1}, "Connection refused"),
        ({"query": {"compress": "yes"}}, "invalid .*compress"),
    ],
)
def test_a_database_that_cannot_be_opened_is_an_error_with_the_reason(
    postgres_server: PostgresServer, tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    """It is not taken for an empty database, which commands would try to fill."""
    url = sa.make_url(postgres_server.url).set(**changed).render_as_string(hide_password=False)
    with pytest.raises(Busy, match=reason):
        _open_and_close(url)
    with pytest.raises(Busy, match=reason):
        upgrade_database(url, NOON)
    with pytest.raises(Busy, match=reason):
        dump(url, tmp_path / "dump", NOON, {})


def test_a_role_with_too_few_privileges_is_refused_with_the_remedy(
    postgres_server: PostgresServer,
) -> None:
    """After an upgrade adds tables, an operator must grant the server's role access to them."""
    url = postgres_server.new_database()
    upgrade_database(url, NOON)
    role = sa.make_url(url).set(username="visitor", password="x")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("CREATE ROLE visitor LOGIN PASSWORD 'x'")
        try:
            with pytest.raises(Busy, match=r"too few privileges \(permission denied for table "):
                _open_and_close(role.render_as_string(hide_password=False))
        finally:
            owner.execute("DROP ROLE visitor")


@pytest.mark.parametrize("round_number", range(cases(1)))
def test_several_processes_can_open_an_empty_folder_at_the_same_time(
    tmp_path: Path, round_number: int
) -> None:
    """One process creates the tables, the others use them, and none of them fails."""
    url = f"sqlite:///{tmp_path / str(round_number) / 'sayso.db'}"
    command = [sys.executable, "-c", _OPEN, url]
    openers = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("\n")
        opener.stdin.flush()
    errors = [opener.communicate(timeout=60)[1] for opener in openers]

    assert errors == ["", "", ""]
    assert [opener.returncode for opener in openers] == [0, 0, 0]
    with open_store(url, MovableClock(), str, react, serving=False).write() as tx:
        assert tx.counters.peek("opened") == 3


def test_the_newest_migration_is_the_schema_of_the_program() -> None:
    """`SCHEMA` follows from the names of the migrations."""
    assert ScriptDirectory(str(upgrading._SCRIPTS)).get_current_head() == SCHEMA


def test_the_migrations_create_the_tables_of_the_program(url: str) -> None:
    """Alembic finds no difference from `tables.py`, on both databases."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_create_the_conditions_of_partial_indexes(sqlite_url: str) -> None:
    """`tables.py` repeats the conditions, and Alembic does not compare them."""
    _open_and_close(sqlite_url)
    engine = sa.create_engine(sqlite_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql <> ''"))
        created = {name: sql.partition(" WHERE ")[2] for name, sql in rows if "CREATE INDEX" in sql}
    documented = {
        str(index.name): str(index.info.get("where", ""))
        for table in metadata.tables.values()
        for index in table.indexes
    }
    assert created == documented


def test_database_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """The file, its log and its lock have mode 0600 as soon as they exist."""
    (tmp_path / "open").mkdir(mode=0o755)
    path = tmp_path / "open" / "sayso.db"
    modes: set[tuple[str, int]] = set()
    connect = sqlite3.connect

    def connect_and_record(*args: object, **kwargs: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        modes.update((file.name, _mode(file)) for file in path.parent.iterdir())
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening.sqlite3, "connect", connect_and_record)
        store = open_store(f"sqlite:///{path}", MovableClock(), str, react, serving=True)
    store.start()
    with store.write() as tx:
        tx.counters.count("written", 1000)
        modes.update((file.name, _mode(file)) for file in path.parent.iterdir())
    store.close()

    assert {"sayso.db", "sayso.db-wal", "sayso.db-shm"} <= {name for name, _ in modes}
    assert {mode for _, mode in modes} == {0o600}


def test_a_backup_of_a_file_in_use_is_complete(sqlite_url: str, tmp_path: Path) -> None:
    """The backup has the latest commit. An existing file is never overwritten."""
    store = open_store(sqlite_url, MovableClock(), str, react, serving=True)
    store.start()
    with store.write() as tx:
        tx.counters.count("stored", 10_000)
    backup_sqlite(tmp_path / "sayso.db", tmp_path / "copy.db")
    with pytest.raises(FileExistsError):
        backup_sqlite(tmp_path / "sayso.db", tmp_path / "copy.db")
    store.close()

    copy = open_store(
        f"sqlite:///{tmp_path / 'copy.db'}", MovableClock(), str, react, serving=False
    )
    with copy.write() as tx:
        assert tx.counters.peek("stored") == 1
    copy.close()
    assert _mode(tmp_path / "copy.db") == 0o600


@pytest.mark.parametrize("offset", [0, 20_000])
def test_the_error_about_a_damaged_file_says_how_to_fix_it(
    tmp_path: Path, offset: int, opened: list[sqlite3.Connection]
) -> None:
    """The header or a later page is damaged. `doctor`, commands and the server print the error."""
    url = f"sqlite:///{tmp_path / 'sayso.db'}"
    _open_and_close(url)
    with (tmp_path / "sayso.db").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 900_000)
    before = len(opened)
    with pytest.raises(Busy, match=r"database is damaged: .*\. Restore a backup: sayso db restore"):
        _open_and_close(url)
    assert len(opened) > before
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_a_file_that_cannot_be_copied_leaves_no_copy(tmp_path: Path) -> None:
    """The error has the reason, such as a full disk or a damaged header."""
    (tmp_path / "sayso.db").write_bytes(b"x" * 4_096)
    with pytest.raises(Busy, match=r"could not be copied: file is not a database"):
        backup_sqlite(tmp_path / "sayso.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_errors_never_contain_stored_values(store: SqlStore) -> None:
    """Errors are logged, but not the values of a failed statement."""
    statement = sa.text("INSERT INTO nowhere VALUES (:value)").bindparams(value="planted")
    with pytest.raises((Busy, sa.exc.DBAPIError)) as failure, store.write() as tx:
        tx._connection.execute(statement)
    cause = failure.value.__cause__

    assert isinstance(cause, Exception)
    assert "nowhere" in str(cause)
    assert "planted" not in f"{failure.value} {cause}"
