"""The store: units of work and views of one database, and wakes after commits.

A wake tells a process that something may have changed, without details. A commit in the same
process sets an event. Commits of other processes are detected by polling `PRAGMA data_version`
(SQLite) or with NOTIFY (PostgreSQL, `postgres_wake.py`).
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import BigInteger, Connection, Select, cast, func, literal_column, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.ports import Clock
from server.model.store import Busy, React
from server.services.audit import audit
from server.services.refusals import RecordedProblem
from server.storage.directory import Cache
from server.storage.rows import Unit, View
from server.storage.tables import installation
from server.storage.writer import (
    PooledReader,
    PooledWriter,
    SqlitePool,
    Writer,
    sqlite_connection,
)

_SQLITE_PAUSE_SECONDS = 0.025


class LocalWake:
    """Wakes within one process."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def notify(self) -> None:
        """Wake the waiters."""
        self._event.set()

    def watch(self) -> None:
        """Watch for commits by other processes. This class does not need to."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds. Returns whether something may have changed."""
        woken = self._event.wait(timeout)
        self._event.clear()
        return woken


class SqliteWake(LocalWake):
    """Wakes for other processes' commits to the same file, using a separate connection."""

    def __init__(self, data_version: Callable[[], int]) -> None:
        super().__init__()
        self._data_version = data_version

    def watch(self) -> None:
        """Poll the file forever, as a background loop."""
        last = self._data_version()
        while True:
            time.sleep(_SQLITE_PAUSE_SECONDS)
            current = self._data_version()
            if current != last:
                last = current
                self.notify()


Rows = TypeVar("Rows", bound=View)
_VERSION = "SELECT admin_version FROM installation"
"""On SQLite, this runs without SQLAlchemy: every unit of work needs it, and 3 µs beat 35 µs."""
_NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
"""The time after the locks are taken; `now()` would be the time before a unit of work waits."""
_VERSION_AND_TIME = select(installation.c.admin_version, _NOW)
_ADMINISTRATION = 7243002
_VERSION_AND_TIME_LOCKED = _VERSION_AND_TIME.where(
    func.pg_advisory_xact_lock_shared(_ADMINISTRATION).is_not(None)
).with_for_update(read=True)
"""Blocks administration until this unit of work ends, so that the rows it has read stay valid.

With only the row lock, units of work could starve administration. The advisory lock is fair.
"""
_EXCLUSIVE = select(func.pg_advisory_xact_lock(_ADMINISTRATION))

_SEQUENCER = select(func.pg_try_advisory_xact_lock(7243001))
"""The process that holds this lock numbers entries and events until its transaction ends."""
_SELECT_ONE: Select[tuple[int]] = select(literal_column("1"))
_EVENT_BATCH = 5_000
_UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout, sqlite3.OperationalError)
"""The errors raised by an unavailable database. All other errors are bugs."""


@dataclass(frozen=True, slots=True)
class StoreDependencies:
    """The external dependencies of the store."""

    clock: Clock
    new_entry_id: Callable[[int], str]
    react: React


class SqlStore:
    """The adapter for the `Store` port."""

    def __init__(
        self,
        writer: Writer,
        reader: SqlitePool | PooledReader,
        wake: LocalWake,
        dependencies: StoreDependencies,
        lock: int | None = None,
    ) -> None:
        """`lock` is a file descriptor that is closed with the store."""
        self.wake = wake
        self._lock = lock
        self._writer = writer
        self._reader = reader
        self._dependencies = dependencies
        self._cache = Cache(version=-1)
        self._refusal = ""
        self._on_sqlite = not isinstance(writer, PooledWriter)

    def start(self) -> None:
        """Start the writer. Call it in the process that uses the store."""
        self._writer.start()

    def write(self) -> AbstractContextManager[Unit]:
        """Return one unit of work, which is committed if the block ends without an error."""
        return self._unit(administers=False)

    def administer(self) -> AbstractContextManager[Unit]:
        """Return a unit of work that changes the directory, which all other units depend on.

        No other unit of work runs at the same time: PostgreSQL uses a lock, and SQLite always runs
        only one at a time.
        """
        return self._unit(administers=True)

    @contextmanager
    def _unit(self, *, administers: bool) -> Iterator[Unit]:
        with self._recording(), self._writer.transaction() as connection:
            if administers and not self._on_sqlite:
                connection.execute(_EXCLUSIVE)
            rows = self._rows(Unit, connection, lock=True)
            if administers:
                rows.bump_admin_version()
            yield rows
        audit.note_stored(rows.leaves)
        if rows.needs_wake:
            self.wake.notify()

    @contextmanager
    def read(self) -> Iterator[View]:
        """Yield a read-only view. It may be outdated; no change may depend on it. Raises `Busy`."""
        try:
            with self._reader.connection() as connection:
                yield self._rows(View, connection, lock=False)
        except _UNAVAILABLE as error:
            raise Busy("The database cannot be read now.") from error

    def sequence(self) -> int:
        """Number new audit entries and feed events, unless another process does.

        Returns how many were numbered. On SQLite that is 0, because they are numbered when added.
        """
        if self._on_sqlite:
            return 0
        with self._writer.transaction() as connection:
            if not connection.execute(_SEQUENCER).scalar_one():
                return 0
            rows = self._rows(View, connection, lock=False)
            entries = rows.audit_log.number(_EVENT_BATCH)
            events = rows.feed.number(_EVENT_BATCH)
        if events:
            self.wake.notify()
        return entries + events

    def refuse_entries(self, reason: str) -> None:
        """Raise `Busy` in each unit of work that adds an audit entry, until `reason` is empty."""
        self._refusal = reason

    def _new_entry_id(self, now: int) -> str:
        if self._refusal:
            raise Busy(self._refusal)
        return self._dependencies.new_entry_id(now)

    def ping(self) -> None:
        """Raise `Busy` unless the database can be read and written."""
        with self._writer.transaction() as connection:
            connection.execute(_SELECT_ONE)

    def close(self) -> None:
        """Commit open units of work and close the database."""
        self._writer.close()
        self._reader.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """After a unit of work is rolled back, run the `record` function of the problem."""
        try:
            yield
        except RecordedProblem as problem:
            with self.write() as tx:
                problem.record(tx)
            raise

    def _rows(self, kind: type[Rows], connection: Connection, *, lock: bool) -> Rows:
        version, now = self._version_and_time(connection, lock=lock)
        cache = self._cache if self._cache.version == version else Cache(version)
        if not lock:  # a unit of work may see a version that will be rolled back
            self._cache = cache
        return kind(connection, now, cache, self._new_entry_id, self._dependencies.react)

    def _version_and_time(self, connection: Connection, *, lock: bool) -> tuple[int, int]:
        if self._on_sqlite:
            version = sqlite_connection(connection).execute(_VERSION).fetchone()[0]
            return version, self._dependencies.clock.now()
        row = connection.execute(_VERSION_AND_TIME_LOCKED if lock else _VERSION_AND_TIME).one()
        return row[0], self._dependencies.clock.adjust(row[1])
