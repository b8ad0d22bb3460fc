"""Opens the database: checks its schema and returns a store.

same schema              open it
SQLite, none or older    lock; back up the file if it is older; upgrade and open it
PostgreSQL, older        refuse; the error names `sayso db upgrade`
newer schema             refuse
"""

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    Pool,
    StaticPool,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from server import folders
from server.model.ports import Clock
from server.model.store import Busy, React
from server.storage.sqlite_wake import SqliteWake
from server.storage.store import LocalWake, SqlStore, StoreDependencies
from server.storage.tables import installation
from server.storage.writer import (
    DirectWriter,
    GroupedWriter,
    PooledReader,
    PooledWriter,
    SqlitePool,
    run_when_unlocked,
    sqlite_connection,
)

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
SCHEMA = max(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py"))
"""The newest migration of this program."""

_COMMAND_TIMEOUT_SECONDS = 10.0
_PAUSE_SECONDS = 0.01
_NO_PRIVILEGE = "42501"
"""PostgreSQL's SQLSTATE for a missing privilege."""
_NO_TABLE = "42P01"
"""PostgreSQL's SQLSTATE for a missing table."""
_RESTORING = "A backup is being restored here. Try again later."
_EXCLUSIVE_LOCK = text(
    "SELECT 1 FROM pg_locks WHERE relation = to_regclass('installation') "
    "AND mode = 'AccessExclusiveLock' AND granted"
)
"""Finds the exclusive lock, which only a restore holds for a long time."""
_UPGRADE_LOCK = text("SELECT pg_advisory_xact_lock(7243003)")


class SchemaMismatch(Exception):
    """The database's schema does not match this program's. The message says how to fix that."""


def open_store(
    url: str, clock: Clock, new_entry_id: Callable[[int], str], react: React, *, serving: bool
) -> SqlStore:
    """Open the database for a command or, with `serving`, for a server process.

    Raises `SchemaMismatch`, or `Busy` if the database cannot be reached.
    """
    parsed = make_url(url)
    dependencies = StoreDependencies(clock, new_entry_id, react)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(Path(parsed.database or ""), dependencies, serving=serving)
    return _open_postgres(parsed, dependencies)


def upgrade_database(url: str, now: int) -> str:
    """Upgrade the database to this program's schema. Returns its former version; "" if new."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with _upgraded_sqlite(Path(parsed.database or ""), now) as former:
            return former
    engine = postgres_engine(parsed)
    version = _schema_of(engine)
    _refuse_newer(version)
    return version if version == SCHEMA else _upgrade_postgres(engine, now)


def create_tables(url: str, now: int) -> None:
    """Create the tables in an empty PostgreSQL database, or the SQLite file if it is missing."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with _upgraded_sqlite(Path(parsed.database or ""), now):
            return
    engine = postgres_engine(parsed)
    if not _schema_of(engine):
        _upgrade_postgres(engine, now)


def backup_sqlite(path: Path, target: Path) -> None:
    """Create a consistent copy of a SQLite file that may be in use.

    Raises FileExistsError, or `Busy` if the file is damaged or the disk is full.
    """
    with target.open("xb"):
        target.chmod(0o600)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except BaseException as error:
        target.unlink()
        if isinstance(error, sqlite3.Error):
            raise Busy(f"The database could not be copied: {error}.") from error
        raise


def _open_sqlite(path: Path, dependencies: StoreDependencies, *, serving: bool) -> SqlStore:
    read_engine = _sqlite_engine(path, timeout=_COMMAND_TIMEOUT_SECONDS, query_only=True)
    readers = SqlitePool(read_engine)
    with _upgraded_sqlite(path, dependencies.clock.now()):
        lock = _lock_shared(path.parent)
        try:
            with readers.connection() as connection:
                _refuse_unrestored(connection)
        except BaseException:
            os.close(lock)
            raise
    write_engine = _sqlite_engine(path, timeout=0)
    if not serving:
        return SqlStore(
            DirectWriter(SqlitePool(write_engine)), readers, LocalWake(), dependencies, lock
        )
    watcher = read_engine.connect()

    def data_version() -> int:
        return int(sqlite_connection(watcher).execute("PRAGMA data_version").fetchone()[0])

    wake = SqliteWake(data_version)
    writer = GroupedWriter(write_engine.connect())
    return SqlStore(writer, readers, wake, dependencies, lock)


def _open_postgres(url: URL, dependencies: StoreDependencies) -> SqlStore:
    from server.storage.postgres_connection import (  # noqa: PLC0415  # loads the driver
        connect,
        ping_briefly,
    )
    from server.storage.postgres_wake import PostgresWake  # noqa: PLC0415  # as above

    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    engine = create_engine(
        _with_psycopg(url),
        creator=lambda: connect(conninfo),
        hide_parameters=True,
        pool_size=16,
        max_overflow=16,
        pool_timeout=3,  # in addition to the two seconds of a ping
        pool_pre_ping=True,
    )
    ping_briefly(engine)
    event.listen(engine, "handle_error", _refuse_unusable)
    try:
        refuse_other(_schema_of(engine))
        with engine.connect() as connection:
            _refuse_unrestored(connection)
    except (Busy, OperationalError) as error:
        reason = error if isinstance(error, Busy) else unreachable(error)
        message = _RESTORING if _is_locked(engine) else str(reason)
        engine.dispose()
        raise Busy(message) from error
    except BaseException:
        engine.dispose()
        raise
    wake = PostgresWake(conninfo)
    return SqlStore(PooledWriter(engine), PooledReader(engine), wake, dependencies)


def postgres_engine(url: URL) -> Engine:
    """Return an engine without a pool, and without the checks of `open_store`."""
    engine = create_engine(_with_psycopg(url), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "handle_error", _refuse_unusable)
    return engine


def _with_psycopg(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg")


def _sqlite_engine(
    path: Path, *, timeout: float, query_only: bool = False, pool: type[Pool] = NullPool
) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=timeout, isolation_level=None, check_same_thread=False
        )
        with ExitStack() as on_error:
            on_error.callback(connection.close)
            # Retries, because processes that create the write-ahead log at the same time lock each
            # other out, and SQLite's timeout does not apply then.
            run_when_unlocked(
                connection, "PRAGMA journal_mode=WAL", _COMMAND_TIMEOUT_SECONDS, _PAUSE_SECONDS
            )
            connection.executescript("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA query_only=ON" if query_only else "PRAGMA query_only=OFF")
            on_error.pop_all()
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=pool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", _refuse_unusable)
    return engine


def _refuse_unusable(context: ExceptionContext) -> None:
    """Raise `Busy` with the remedy if the file is damaged or the role has too few privileges."""
    error = context.original_exception
    if type(error) is sqlite3.DatabaseError:  # SQLite has a subclass for every other error
        raise Busy(
            f"The database is damaged: {error}. Restore a backup: sayso db restore FILE"
        ) from error
    if getattr(error, "sqlstate", None) == _NO_PRIVILEGE:
        reason = str(error).partition("\n")[0]
        raise Busy(
            f"The role in SAYSO_DATABASE_URL has too few privileges ({reason}). "
            "docs/run.md lists the statements that grant them."
        ) from error


@contextmanager
def _upgraded_sqlite(path: Path, now: int) -> Iterator[str]:
    """Upgrade the file and return its former version.

    A connection stays open during the block, so that SQLite does not delete the write-ahead log and
    create it again for the next connection.
    """
    folders.make_private(path.parent)
    engine = _sqlite_engine(path, timeout=_COMMAND_TIMEOUT_SECONDS, pool=StaticPool)
    try:
        yield _upgrade_sqlite(engine, path, now)
    finally:
        engine.dispose()


def _upgrade_sqlite(engine: Engine, path: Path, now: int) -> str:
    version = _schema_of(engine) if path.exists() else ""
    _refuse_newer(version)
    if version != SCHEMA:
        with _lock_file(path.with_name(path.name + ".lock")):
            path.touch(mode=0o600)
            version = _schema_of(engine)
            if version not in {"", SCHEMA}:
                _back_up(path)
            if version != SCHEMA:
                _upgrade(engine, now, is_new=not version)
    return version


def _back_up(path: Path) -> None:
    """Back the file up with SQLite, so that the copy includes the write-ahead log."""
    copy = path.with_name(f"{path.name}.before-{SCHEMA}")
    copy.unlink(missing_ok=True)  # a failed upgrade may have left a copy
    backup_sqlite(path, copy)


def _schema_of(engine: Engine) -> str:
    """Return the schema version of the database; "" if it has none."""
    try:
        with engine.connect() as connection:
            row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    except (OperationalError, ProgrammingError) as error:
        if _no_such_table(error):
            return ""
        raise unreachable(error) from error
    return "" if row is None else str(row[0])


def _no_such_table(error: DBAPIError) -> bool:
    return "no such table" in str(error) or getattr(error.orig, "sqlstate", None) == _NO_TABLE


def unreachable(error: DBAPIError) -> Busy:
    """Return the error with the driver's reason. It contains no password."""
    return Busy(f"The database cannot be opened: {' '.join(str(error.orig).split())}")


def _refuse_newer(version: str) -> None:
    if version > SCHEMA:
        raise SchemaMismatch(
            f"The database has schema {version}, and this program supports {SCHEMA}. "
            "Use the newer program, or restore the copy from before the upgrade."
        )


def refuse_other(version: str) -> None:
    """Raise `SchemaMismatch` unless this is the schema of this program."""
    _refuse_newer(version)
    if not version:
        raise SchemaMismatch("The database is empty. Run: sayso init")
    if version != SCHEMA:
        raise SchemaMismatch(
            "The database has an older schema. Back it up with the earlier version of Sayso, then "
            "run: sayso db upgrade"
        )


def _refuse_unrestored(connection: Connection) -> None:
    if connection.execute(select(installation.c.id)).first() is None:
        raise SchemaMismatch(
            "This database comes from a backup, and its restore is not finished. "
            "Run: sayso db restore FILE"
        )


def _is_locked(engine: Engine) -> bool:
    """Return whether a restore locks others out of a PostgreSQL database."""
    try:
        with engine.connect() as connection:
            return connection.execute(_EXCLUSIVE_LOCK).first() is not None
    except (OperationalError, ProgrammingError):
        return False


def _lock_shared(folder: Path) -> int:
    """Take a shared lock on the folder, so that no restore replaces the file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Busy(_RESTORING) from error
    return descriptor


def _upgrade_postgres(engine: Engine, now: int) -> str:
    """Upgrade the database, unless another process has just done that. Returns its version."""
    with engine.begin() as connection:
        connection.execute(_UPGRADE_LOCK)
        version = _schema_of(engine)
        if version != SCHEMA:
            _upgrade(engine, now, is_new=not version)
    return version


def _upgrade(engine: Engine, now: int, *, is_new: bool) -> None:
    from server.storage.upgrade import upgrade  # noqa: PLC0415  # loads Alembic

    on_sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        if on_sqlite:
            # A migration may rebuild a table, and dropping the old one would delete the rows that
            # refer to it. SQLite ignores this PRAGMA inside a transaction.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade(connection)
        if is_new:
            row = {"id": 1, "admin_version": 1, "created_at": now, "epoch": secrets.token_hex(16)}
            connection.execute(insert(installation), row)
        if on_sqlite:
            _refuse_broken_references(connection)
            connection.exec_driver_sql("COMMIT")


def _refuse_broken_references(connection: Connection) -> None:
    violation = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if violation is not None:
        raise SchemaMismatch(
            f"A row of {violation[0]} refers to a missing row of {violation[2]}, "
            "so the database was not upgraded. Restore it from your backup."
        )


@contextmanager
def _lock_file(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
