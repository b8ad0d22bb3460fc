"""An approval is consumed once, by the first process that attempts it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from server.model.approvals import Consumption
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

Opener = Callable[[str], SqlStore]
RUN = Consumption("sayso_ap_a", "run-1", "sayso_at_a", "https://pay.example", NOON)


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """A store with two approvals."""
    with store.write() as tx:
        for name in ("sayso_ap_a", "sayso_ap_b"):
            row = approval_row(name, "sayso_ag_a", "sayso_us_a", NOON)
            tx.approvals.add(replace(row, auth_req_hash=name.encode()))
    return store


def _consume(store: SqlStore, run: Consumption) -> bool:
    with store.write() as tx:
        return tx.consumptions.add_once(run)


def test_the_first_execution_is_stored(store: SqlStore) -> None:
    """Later executions are refused, even if they are the same."""
    assert _consume(store, RUN)
    for execution in ("run-1", "run-2"):
        assert not _consume(store, replace(RUN, execution_id=execution, at=NOON + 1))
    with store.read() as view:
        assert view.consumptions.get(RUN.approval_id) == RUN
        assert view.consumptions.get("sayso_ap_b") is None
    assert _consume(store, replace(RUN, approval_id="sayso_ap_b"))


def test_one_of_many_concurrent_executions_is_stored(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Two processes with four threads each attempt it. The row names the winner."""
    stores = [store, open_database(url)]
    runs = [replace(RUN, execution_id=f"run-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        attempts = [
            threads.submit(_consume, stores[number % 2], run) for number, run in enumerate(runs)
        ]
        winners = [run for run, done in zip(runs, attempts, strict=True) if done.result(10)]
    assert len(winners) == 1
    with store.read() as view:
        assert view.consumptions.get(RUN.approval_id) == winners[0]


def test_a_rolled_back_execution_consumes_nothing(store: SqlStore) -> None:
    """The approval can still be consumed after a rollback."""
    with suppress(LookupError), store.write() as tx:
        tx.consumptions.add_once(RUN)
        raise LookupError
    assert _consume(store, RUN)
