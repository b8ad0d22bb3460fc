"""Pools of connections: a small one for SQLite, and PostgreSQL's for reading."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

_MAX_IDLE = 8


class SqlitePool:
    """Connections to a SQLite file, opened when none is idle."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free: deque[Connection] = deque()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one unit of work or reading; after an error it is closed."""
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
        """A connection for one reading."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()
