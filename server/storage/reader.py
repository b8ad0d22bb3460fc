"""Reading connections: many for PostgreSQL's pool, a few kept ones for SQLite."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

_MOST_KEPT = 8


class Reader:
    """Hands out connections that only read, and takes them back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free: deque[Connection] = deque()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one reading; nobody else has it meanwhile."""
        connection = self._free.pop() if self._free else self._engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if len(self._free) < _MOST_KEPT:
            self._free.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what is kept."""
        while self._free:
            self._free.pop().close()
        self._engine.dispose()


class PooledReader:
    """PostgreSQL's pool does the keeping."""

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
