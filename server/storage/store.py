"""The store: units of work and readings over one database."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, Select, cast, func, literal_column, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.ports import Clock
from server.model.store import Busy, React
from server.services.refusals import Recorded
from server.storage.directory import Cache
from server.storage.notifications.feed import SEQUENCER_LOCK
from server.storage.reader import PooledReader, Reader
from server.storage.rows import Rows
from server.storage.tables import installation
from server.storage.wake import LocalWake
from server.storage.writer import GroupedWriter, PooledWriter, Writer, sqlite_connection

_VERSION = "SELECT admin_version FROM installation"
"""Read at every unit and reading, so it goes past SQLAlchemy on SQLite: 3 µs, not 35."""
_NOW = cast(func.extract("epoch", func.now()) * 1000, BigInteger)
_VERSION_AND_TIME = select(installation.c.admin_version, _NOW)
_ADMINISTRATION = 7243002
_VERSION_AND_TIME_HELD = _VERSION_AND_TIME.where(
    func.pg_advisory_xact_lock_shared(_ADMINISTRATION).is_not(None)
).with_for_update(read=True)
"""Administration waits until this unit of work is over, so what it decides on stays true.

The row's lock alone would let units overtake administration for ever; the advisory lock queues.
"""
_ALONE = select(func.pg_advisory_xact_lock(_ADMINISTRATION))

_SEQUENCER = select(SEQUENCER_LOCK)
_ONE: Select[tuple[int]] = select(literal_column("1"))
_EVENTS_AT_ONCE = 5_000
_AWAY = (OperationalError, InterfaceError, PoolTimeout, sqlite3.OperationalError)
"""What is said about the database and the way to it; everything else is a fault of ours."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What the store itself needs from outside."""

    clock: Clock
    new_entry_id: Callable[[int], str]
    react: React


class SqlStore:
    """The database behind the port `Store`."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader | PooledReader,
        wake: LocalWake,
        edges: Edges,
        lock: int | None = None,
    ) -> None:
        """`lock` is an open file that is closed with the store."""
        self.wake = wake
        self._lock = lock
        self._writer = writer
        self._reader = reader
        self._edges = edges
        self._cache = Cache(version=-1)
        self._clock_is_ours = not isinstance(writer, PooledWriter)

    def start(self) -> None:
        """Begin to serve; call it in the process that will."""
        self._writer.start()

    @contextmanager
    def write(self) -> Iterator[Rows]:
        """One unit of work: stored when the block was left without an error."""
        with self._recording(), self._writer.transaction() as connection:
            rows = self._rows(connection, hold=True)
            yield rows
        if rows.stirred:
            self.wake.changed()

    @contextmanager
    def administer(self) -> Iterator[Rows]:
        """A unit of work that changes what every other one stands on.

        On PostgreSQL it waits for all others, and they for it; on SQLite there is one at a time.
        """
        with self._recording(), self._writer.transaction() as connection:
            if not self._clock_is_ours:
                connection.execute(_ALONE)
            rows = self._rows(connection, hold=True)
            rows.administered()
            yield rows
        self.wake.changed()

    @contextmanager
    def read(self) -> Iterator[Rows]:
        """Look; nothing may be decided from it. Raises `Busy` if the database is away."""
        try:
            with self._reader.connection() as connection:
                yield self._rows(connection, hold=False)
        except _AWAY as error:
            raise Busy("The database cannot be read now.") from error

    def sequence(self) -> int:
        """Number new feed events, if this process is the one that may; 0 on SQLite."""
        if self._clock_is_ours:
            return 0
        with self._writer.transaction() as connection:
            if not connection.execute(_SEQUENCER).scalar_one():
                return 0
            numbered = self._rows(connection, hold=False).feed.number(_EVENTS_AT_ONCE)
        if numbered:
            self.wake.changed()
        return numbered

    def ping(self) -> None:
        """Raises `Busy` unless the database can be read and written."""
        with self._writer.transaction() as connection:
            connection.execute(_ONE)

    def close(self) -> None:
        """Store what is open and let go."""
        self._writer.close()
        self._reader.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def grouped(self) -> bool:
        """Reports whether units of work share COMMITs."""
        return isinstance(self._writer, GroupedWriter)

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """Store what a refusal records, after the rollback of the unit of work that it ended."""
        try:
            yield
        except Recorded as refusal:
            with self.write() as tx:
                refusal.record(tx)
            raise

    def _rows(self, connection: Connection, *, hold: bool) -> Rows:
        version, now = self._stand(connection, hold=hold)
        cache = self._cache if self._cache.version == version else Cache(version)
        if not hold:  # a unit of work may stand on a version that is never stored
            self._cache = cache
        return Rows(connection, now, cache, self._edges.new_entry_id, self._edges.react)

    def _stand(self, connection: Connection, *, hold: bool) -> tuple[int, int]:
        if self._clock_is_ours:
            version = sqlite_connection(connection).execute(_VERSION).fetchone()[0]
            return version, self._edges.clock.now()
        row = connection.execute(_VERSION_AND_TIME_HELD if hold else _VERSION_AND_TIME).one()
        return row[0], self._edges.clock.adjust(row[1])
