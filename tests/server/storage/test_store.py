"""Errors of a view, and the time of a unit of work."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server.model.store import Busy
from server.storage.store import SqlStore, Unit
from tests.support.builders.clock import MovableClock
from tests.support.checks.locks import waiting_sessions
from tests.support.checks.waiting import until


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


@pytest.mark.postgresql
def test_time_does_not_stand_still_while_a_unit_of_work_waits(
    postgres_url: str,
    open_database: Callable[[str], SqlStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deadline may pass during administration, for which other units of work wait."""
    monkeypatch.setattr(MovableClock, "adjust", lambda _, moment: moment)
    store, times = open_database(postgres_url), list[int]()

    def work(unit: Callable[[], AbstractContextManager[Unit]]) -> None:
        with unit() as tx:
            times.append(tx.now)

    threads = [
        threading.Thread(target=work, args=(unit,)) for unit in (store.write, store.administer)
    ]
    with store.administer() as first:
        for thread in threads:
            thread.start()
        until(lambda: waiting_sessions(store) == len(threads))
        time.sleep(0.3)
    for thread in threads:
        thread.join(10)
    assert min(times) >= first.now + 300
