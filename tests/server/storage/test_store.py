"""Readings: what is said of a database that is away, and of a fault of ours."""

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.store import Busy
from server.storage.store import SqlStore


def test_a_reading_that_is_wrong_itself_is_no_busy_database(store: SqlStore) -> None:
    """Trying again would not help, so nobody is told to."""
    nonsense = sa.text("SELECT :value").bindparams(sa.bindparam("value", object()))
    with pytest.raises(DBAPIError), store.read() as view:
        view._connection.execute(nonsense)


@pytest.mark.parametrize(
    "failure",
    [
        OperationalError("SELECT 1", {}, Exception("gone")),
        InterfaceError("SELECT 1", {}, Exception("closed")),
        PoolTimeout(),
        sqlite3.OperationalError("disk I/O error"),
    ],
)
def test_a_database_that_is_away_is_busy(store: SqlStore, failure: Exception) -> None:
    """It may be back for the next try."""
    with pytest.raises(Busy), store.read():
        raise failure
