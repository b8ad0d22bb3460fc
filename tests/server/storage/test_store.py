"""Read transactions: an unreachable database and a programming error are different."""

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.store import Busy
from server.storage.store import SqlStore


def test_a_wrong_statement_is_not_a_busy_database(store: SqlStore) -> None:
    """Retrying would not help."""
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
    """It may be back for the next try."""
    with pytest.raises(Busy), store.read():
        raise failure
