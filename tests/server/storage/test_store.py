"""A view distinguishes an unreachable database from a programming error."""

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.store import Busy
from server.storage.store import SqlStore


def test_an_invalid_statement_is_not_reported_as_busy(store: SqlStore) -> None:
    """A retry of an invalid statement would not help."""
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
def test_an_unreachable_database_is_busy(store: SqlStore, failure: Exception) -> None:
    """A retry may succeed when the database is back."""
    with pytest.raises(Busy), store.read():
        raise failure
