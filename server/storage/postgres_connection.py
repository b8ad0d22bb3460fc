"""Connections to PostgreSQL with a timeout for every response.

A database that is down refuses connections, and PostgreSQL cancels statements that take too long.
But if the database hangs or the network drops all packets, nothing arrives, and a client without
a timeout would wait forever.

This is a separate module, so that an installation on SQLite does not load the driver.
"""

from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

_STATEMENT_SECONDS: Final = 6.0
"""A little longer than PostgreSQL's own statement timeout."""
_PING_SECONDS: Final = 2.0
"""The timeout for new connections, and for idle ones before they are reused."""
_TIMEOUTS: Final[dict[str, int]] = {
    "connect_timeout": int(_PING_SECONDS),
    "tcp_user_timeout": 5000,  # closes a connection whose packets are all lost
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
_SERVER_OPTIONS: Final = (
    "-c statement_timeout=5000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000"
)


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that is closed if a response takes too long, because its state is unknown."""

    timeout: float | None = None
    """The timeout in seconds; None means the timeout for statements."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for a response. Raises `psycopg.OperationalError` after the timeout."""
        limit = self.timeout or _STATEMENT_SECONDS
        try:
            return super().wait(gen, interval, limit if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect(conninfo: str, *, autocommit: bool = False) -> TimeoutConnection:
    """Connect with these timeouts. Raises `psycopg.Error`."""
    options = f"{conninfo_to_dict(conninfo).get('options') or ''} {_SERVER_OPTIONS}".strip()
    full_conninfo = make_conninfo(conninfo, options=options, **_TIMEOUTS)
    return TimeoutConnection.connect(full_conninfo, autocommit=autocommit)


def ping_briefly(engine: Engine) -> None:
    """Use the shorter timeout when the pool pings idle connections."""

    @event.listens_for(engine, "checkin")  # codespell:ignore checkin
    def use_ping_timeout(connection: TimeoutConnection | None, _: object) -> None:
        if connection is not None:
            connection.timeout = _PING_SECONDS

    @event.listens_for(engine, "checkout")
    def use_statement_timeout(connection: TimeoutConnection, *_: object) -> None:
        connection.timeout = _STATEMENT_SECONDS
