"""Locks of PostgreSQL that tests wait for."""

import threading
from collections.abc import Callable

import pytest

from server.storage.store import SqlStore, Unit
from tests.support.checks.waiting import until


def waiting_sessions(store: SqlStore) -> int:
    """Return the number of sessions that wait for a lock."""
    with store.read() as view:
        count = view._connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).scalar_one()
    return int(count)


def overlap(store: SqlStore, first: Callable[[Unit], None], second: Callable[[Unit], None]) -> None:
    """Run two units of work, of which the second waits for a lock of the first."""

    def run_second() -> None:
        with store.write() as tx:
            second(tx)

    thread = threading.Thread(target=run_second)
    with store.write() as tx:
        first(tx)
        thread.start()
        until(lambda: waiting_sessions(store) == 1)
    thread.join(10)


def run_during(
    monkeypatch: pytest.MonkeyPatch,
    rows: type,
    name: str,
    store: SqlStore,
    work: Callable[[], object],
) -> threading.Thread:
    """Start other work after the first call of this method of the rows, until it waits or ends."""
    method, other = getattr(rows, name), threading.Thread(target=work)

    def call_during_other_work(*arguments: object, **members: object) -> object:
        result = method(*arguments, **members)
        if other.ident is None:
            other.start()
            until(lambda: not other.is_alive() or waiting_sessions(store) == 1)
        return result

    monkeypatch.setattr(rows, name, call_during_other_work)
    return other
