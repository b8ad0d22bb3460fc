"""Connections to PostgreSQL that wait for no answer for ever.

A database that is down refuses, and PostgreSQL ends by itself what takes too long. But one that
stands still, or lies behind a road that swallows everything, says nothing at all: TCP finds the
connection in order, and whoever waits for an answer would wait as long as it does.

A file of its own, so that an installation on SQLite never loads the driver.
"""

from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, event

_STATEMENT_SECONDS: Final = 6.0
"""A little longer than PostgreSQL itself lets a statement take."""
_PING_SECONDS: Final = 2.0
"""A connection that was idle answers within this, or it is none; so is a new one."""
_STANDS: Final[dict[str, int]] = {
    "connect_timeout": int(_PING_SECONDS),
    "tcp_user_timeout": 5000,  # a road that loses everything ends a connection too
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
_ENDS: Final = (
    "-c statement_timeout=5000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000"
)


class PatientConnection(psycopg.Connection[Any]):
    """A connection whose patience ends; it is closed then, for nobody knows what it would say."""

    patience: float | None = None
    """In seconds; that of a statement where nobody has said otherwise."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer. Raises `psycopg.OperationalError` when there is none."""
        patience = self.patience or _STATEMENT_SECONDS
        try:
            return super().wait(gen, interval, patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def connect(conninfo: str, *, autocommit: bool = False) -> PatientConnection:
    """A connection for the statements of the server. Raises `psycopg.Error`."""
    whole = make_conninfo(conninfo, options=_ENDS, **_STANDS)
    return PatientConnection.connect(whole, autocommit=autocommit)


def ping_briefly(engine: Engine) -> None:
    """Whoever takes a connection from the pool looks for a moment only whether it still answers."""

    @event.listens_for(engine, "checkin")  # codespell:ignore checkin
    def _idle(connection: PatientConnection | None, _: object) -> None:
        if connection is not None:
            connection.patience = _PING_SECONDS

    @event.listens_for(engine, "checkout")
    def _busy(connection: PatientConnection, *_: object) -> None:
        connection.patience = _STATEMENT_SECONDS
