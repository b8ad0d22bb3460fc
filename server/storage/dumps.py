"""Dumps of whole databases: copies a database while it is in use, and replaces it with a copy.

A copy has no row in `installation`, so no process uses it. The transaction that makes a restored
database safe adds the row.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, NoResultFound, OperationalError, ProgrammingError

from server.model.operations import InstallationRow
from server.model.store import Busy
from server.storage.audit.tables import audit_entries
from server.storage.open import backup_sqlite, postgres_engine, refuse_other, unreachable
from server.storage.operations.in_force import items
from server.storage.operations.installation import InstallationRecords

_NEWEST = select(func.max(audit_entries.c.id))
_SCHEMA = text("SELECT version_num FROM alembic_version")
_REPEATABLE_READ = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
_SNAPSHOT = text("SELECT pg_export_snapshot()")
_LOCK_INSTALLATION = text("LOCK TABLE installation IN ACCESS EXCLUSIVE MODE")
_CLEAR_SNAPSHOT = text("SELECT pg_stat_clear_snapshot()")
_COUNT_OTHER_SESSIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
)

_ATTEMPTS = 20
_PAUSE_SECONDS = 0.1

UNREADABLE: Final = (DBAPIError, sqlite3.Error, Busy)
"""The errors of a damaged database."""


class DumpFailed(Exception):
    """The database could not be copied or replaced. Nothing was changed."""


class InUse(Exception):
    """Another process uses the database. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A description of a database's contents."""

    schema: str
    installation: InstallationRow
    key_ids: Mapping[str, str]
    newest_entry: str
    """The ID of the newest audit entry; "" if there is none."""
    in_force: Mapping[str, list[str]]
    """The labels of active items by kind; a restore asks about them."""


def contents(connection: Connection, now: int) -> Contents | None:
    """Describe a database; None if it is not an installation. Raises `SchemaMismatch`."""
    records = InstallationRecords(connection)
    try:
        schema = str(connection.execute(_SCHEMA).scalar_one())
        refuse_other(schema)
        newest = connection.execute(_NEWEST).scalar()
        found = items(connection, now)
        labels = {kind: sorted(i.label for i in by_id.values()) for kind, by_id in found.items()}
        return Contents(schema, records.row(), records.key_ids(), newest or "", labels)
    except (DBAPIError, NoResultFound):
        return None


def has_entries(connection: Connection, entries: Collection[str]) -> bool:
    """Return whether the audit log contains all of these entries."""
    count = select(func.count()).where(audit_entries.c.id.in_(entries))
    return bool(connection.execute(count).scalar_one() == len(entries))


def has_tables(url: str) -> bool:
    """Return whether a PostgreSQL database contains Sayso's tables."""
    try:
        with transaction(url) as connection:
            connection.execute(_SCHEMA)
    except DBAPIError:
        return False
    return True


def kind(url: str) -> str:
    """Return the kind of database: `sqlite` or `postgresql`."""
    return make_url(url).get_backend_name()


def sqlite_file(url: str) -> Path:
    """Return the file of a SQLite database."""
    return Path(make_url(url).database or "")


def sqlite_url(file: Path) -> str:
    """Return the URL of a SQLite file, whatever characters its path has."""
    return f"sqlite:///{quote(str(file))}"


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """Yield one transaction on a database, without the checks of `open.py`. Raises `Busy`."""
    engine = _engine(url)
    try:
        connection = engine.connect()
    except (OperationalError, ProgrammingError) as error:
        raise unreachable(error) from error
    try:
        with connection, connection.begin():
            yield connection
    finally:
        engine.dispose()


def dump(url: str, target: Path, now: int, environment: Mapping[str, str]) -> Contents:
    """Copy a database that may be in use to a new file. Raises `DumpFailed`, `SchemaMismatch`."""
    if kind(url) == "sqlite":
        backup_sqlite(sqlite_file(url), target)
        check_sqlite(target, "The database")
        with transaction(sqlite_url(target)) as connection:
            description = _require_installation(contents(connection, now))
        _strip(target)
        return description
    with transaction(url) as connection:
        connection.execute(_REPEATABLE_READ)
        description = _require_installation(contents(connection, now))
        snapshot = connection.execute(_SNAPSHOT).scalar_one()
        target.touch(mode=0o600)
        options = ("--format=custom", "--no-owner", "--exclude-table-data=installation")
        _run("pg_dump", url, environment, *options, f"--snapshot={snapshot}", f"--file={target}")
        return description


def _require_installation(description: Contents | None) -> Contents:
    if description is None:
        raise DumpFailed("There is no installation in this database. Run: sayso init --admin NAME")
    return description


@contextmanager
def exclusive(url: str) -> Iterator[None]:
    """Lock every other process out of the database. Raises `InUse`."""
    if kind(url) != "sqlite":
        with transaction(url) as connection:
            _refuse_others(connection)
        yield
        return
    folder = sqlite_file(url).parent
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def lock_exclusively(connection: Connection) -> None:
    """Lock out other processes until this transaction ends. Raises `InUse` if one has connected.

    A process that connected since `exclusive` would keep using the old epoch. On SQLite the
    folder stays locked.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK_INSTALLATION)
        _refuse_others(connection)


def _refuse_others(connection: Connection) -> None:
    """Raise `InUse` if others use the database. Retries, as closed sessions stay listed briefly."""
    for _ in range(_ATTEMPTS):
        if not connection.execute(_COUNT_OTHER_SESSIONS).scalar_one():
            return
        time.sleep(_PAUSE_SECONDS)
        connection.execute(_CLEAR_SNAPSHOT)
    raise InUse(_IN_USE)


def replace_sqlite(new: Path, database: Path) -> Path | None:
    """Replace a SQLite file atomically. Returns the path where the old file is kept.

    The write-ahead log of the old file must not be applied to the new one, so it is written into
    the old file first. If the old file cannot be read, its log is moved with it.
    """
    old = _link_old_file(database) if database.exists() else None
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            log = database.with_name(database.name + suffix)
            log.rename(log.with_name(f"{old.name}{suffix}")) if old else log.unlink()
    new.replace(database)
    return old


def copy_unused_sqlite(database: Path, copy: Path) -> Path:
    """Copy a SQLite file with its write-ahead log, even from a read-only folder."""
    shutil.copyfile(database, copy)
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{database}-wal", f"{copy}-wal")
    return copy


def restore_postgres(dump_file: Path, url: str, environment: Mapping[str, str]) -> None:
    """Restore a dump into the database in one transaction. Raises `DumpFailed`.

    The database cannot be used until it has a row in `installation`.
    """
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run("pg_restore", url, environment, *options, str(dump_file))


def check_sqlite(path: Path, name: str) -> None:
    """Raise `DumpFailed` unless the file passes SQLite's integrity check."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            (result,) = connection.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.DatabaseError as error:
            result = str(error)
    if result != "ok":
        raise DumpFailed(f"{name} is damaged: {result}.")


_IN_USE = (
    "Another process uses this database. Stop the server (every server, on PostgreSQL) and every "
    "sayso command, then try again."
)


def _lock(folder: int) -> None:
    """Take the folder's lock exclusively; every open store holds a shared lock."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InUse(_IN_USE) from error


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return postgres_engine(parsed)
    engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def disable_implicit_transactions(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _strip(copy: Path) -> None:
    """Make the copy a single file that cannot be used until it is restored."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("DELETE FROM installation")


def _link_old_file(database: Path) -> Path:
    """Link the file that will be replaced under a second name, after a checkpoint of its log."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database, timeout=5)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    number = 1
    while (link := database.with_name(f"{database.name}.replaced-{number}")).exists():
        number += 1
    os.link(database, link)
    return link


def _run(program: str, url: str, environment: Mapping[str, str], *options: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise DumpFailed(
            f"{program} is not on PATH. Install PostgreSQL's client programs, in the version of "
            "the server or newer (Debian, Ubuntu: apt-get install postgresql-client)."
        )
    parsed = make_url(url)
    address = parsed.set(drivername="postgresql", password=None)
    command = [path, *options, f"--dbname={address.render_as_string(hide_password=False)}"]
    password = {} if parsed.password is None else {"PGPASSWORD": str(parsed.password)}
    process = subprocess.run(  # noqa: S603  # one of PostgreSQL's programs, without a shell
        command, env={**environment, **password}, capture_output=True, text=True, check=False
    )
    if process.returncode != 0:
        reason = next((line for line in process.stderr.splitlines() if "error" in line.lower()), "")
        raise DumpFailed(f"{program} failed: {reason or process.stderr.strip()[:300]}")
