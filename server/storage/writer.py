"""Connections for reading and writing: pools, units of work and their commits.

SQLite in the server: one writing connection per process. A unit of work is a SAVEPOINT. Units that
are ready at the same time share one COMMIT by the flusher, which yields once before it. A unit
returns only after that COMMIT, and fails if the COMMIT fails. While another process (a command, a
backup) holds the lock, the writer polls with short pauses, because SQLite's own busy timeout would
block every socket of this process.
SQLite in a command: one COMMIT per unit.
PostgreSQL: a transaction from the pool.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.store import Busy

_MAX_IDLE = 8


class SqlitePool:
    """Connections to a SQLite file, opened when none is idle."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free: deque[Connection] = deque()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection for one unit of work or view; it is closed after an error."""
        connection = self._free.pop() if self._free else self._engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if len(self._free) < _MAX_IDLE:
            self._free.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        while self._free:
            self._free.pop().close()
        self._engine.dispose()


class PooledReader:
    """Read-only connections from PostgreSQL's pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection for one view."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()


_TIMEOUT_SECONDS = 5.0
_PAUSE_SECONDS = 0.005
_COMMAND_TIMEOUT_SECONDS = 10.0
_COMMAND_PAUSE_SECONDS = 0.001
"""A command's pause between polls; short, because a busy server unlocks the file only briefly."""
_NOT_STORED = "The database could not store the change."
_FAILURES = (OperationalError, sqlite3.OperationalError)
"""SQLite's errors about the disk, the file and its lock. All other errors are bugs."""
_READ_ONLY = "25006"
"""PostgreSQL's SQLSTATE for a change in a read-only transaction."""


class _Batch:
    """Units of work that share one COMMIT."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._error: sqlite3.Error | None = None

    def end(self, error: sqlite3.Error | None) -> None:
        """Release all units of work after the COMMIT, with its error."""
        self._error = error
        self._done.set()

    def wait(self) -> None:
        """Wait for the COMMIT. Raises `Busy` if it failed."""
        self._done.wait()
        if self._error is not None:
            raise Busy(_NOT_STORED) from self._error


class GroupedWriter:
    """SQLite's writer in the server. Call `start` in the process that serves requests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = sqlite_connection(connection)
        self._lock = threading.Lock()
        self._batch: _Batch | None = None
        self._flush_requested = threading.Event()
        self._stopping = False
        self._flusher = threading.Thread(target=self._flush_forever, name="flusher", daemon=True)

    def start(self) -> None:
        """Start the flusher."""
        self._flusher.start()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection for one unit of work. The end of the block waits for its COMMIT."""
        if not self._lock.acquire(timeout=_TIMEOUT_SECONDS):
            raise Busy("The database is busy.")
        try:
            batch = self._join_batch()
            self._execute("SAVEPOINT unit")
            try:
                yield self._connection
            except _FAILURES as error:
                self._undo()
                raise Busy(_NOT_STORED) from error
            except BaseException:
                self._undo()
                raise
            self._execute("RELEASE unit")
        finally:
            self._flush_requested.set()
            self._lock.release()
        batch.wait()

    def close(self) -> None:
        """Commit the open batch and stop the flusher."""
        self._stopping = True
        self._flush_requested.set()
        if self._flusher.is_alive():
            self._flusher.join(timeout=_TIMEOUT_SECONDS)
        self._connection.close()

    def _join_batch(self) -> _Batch:
        if self._batch is None:
            _begin(self._raw, _TIMEOUT_SECONDS, _PAUSE_SECONDS)
            self._batch = _Batch()
        return self._batch

    def _undo(self) -> None:
        """Roll the unit back. On a full disk SQLite may already have rolled the batch back."""
        try:
            self._execute("ROLLBACK TO unit")
            self._execute("RELEASE unit")
        except sqlite3.Error as error:
            self._abandon(error)

    def _abandon(self, error: sqlite3.Error) -> None:
        batch, self._batch = self._batch, None
        if self._raw.in_transaction:
            self._execute("ROLLBACK")
        if batch is not None:
            batch.end(error)

    def _flush_forever(self) -> None:
        while not self._stopping or self._batch is not None:
            self._flush_requested.wait()
            self._flush_requested.clear()
            time.sleep(0)
            with self._lock:
                self._flush()

    def _flush(self) -> None:
        if self._batch is None:
            return
        try:
            self._execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon(error)
        else:
            batch, self._batch = self._batch, None
            batch.end(None)

    def _execute(self, text: str) -> None:
        """Run a statement without SQLAlchemy."""
        self._raw.execute(text)


class DirectWriter:
    """SQLite's writer in a command: one COMMIT per unit of work."""

    def __init__(self, pool: SqlitePool) -> None:
        self._pool = pool

    def start(self) -> None:
        """Do nothing."""

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection for one unit of work."""
        with self._pool.connection() as connection:
            _begin(sqlite_connection(connection), _COMMAND_TIMEOUT_SECONDS, _COMMAND_PAUSE_SECONDS)
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except _FAILURES as error:
                _roll_back(connection)
                raise Busy(_NOT_STORED) from error
            except BaseException:
                _roll_back(connection)
                raise

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


class PooledWriter:
    """PostgreSQL's writer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self) -> None:
        """Do nothing."""

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection for one unit of work."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except InternalError as error:
            if getattr(error.orig, "sqlstate", None) != _READ_ONLY:
                raise
            self._engine.dispose()  # open sessions stay read-only afterwards
            raise Busy("The database is read-only now.") from error
        except (OperationalError, PoolTimeout) as error:
            raise Busy(_NOT_STORED) from error

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()


def _begin(connection: sqlite3.Connection, timeout: float, pause: float) -> None:
    """Lock the file. Raises `Busy` if another process holds the lock for too long."""
    try:
        run_when_unlocked(connection, "BEGIN IMMEDIATE", timeout, pause)
    except sqlite3.OperationalError as error:
        raise Busy("Another process has locked the database.") from error


def run_when_unlocked(
    connection: sqlite3.Connection, statement: str, timeout: float, pause: float
) -> None:
    """Run a statement; retry while it fails. Raises the error after the timeout."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(pause)
        else:
            return


def _roll_back(connection: Connection) -> None:
    if sqlite_connection(connection).in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def sqlite_connection(connection: Connection) -> sqlite3.Connection:
    """Return the sqlite3 connection that SQLAlchemy's connection uses."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


Writer = GroupedWriter | DirectWriter | PooledWriter
