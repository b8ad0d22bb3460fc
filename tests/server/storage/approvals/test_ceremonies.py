"""Tries of ceremony steps in the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from server.protocol.approvals.ceremonies import Step
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

MAX = 2


@pytest.fixture
def pending_request(store: SqlStore) -> str:
    """A request."""
    row = approval_row("sayso_ap_typed", "sayso_ag_bot", "sayso_us_ann", NOON)
    with store.write() as tx:
        tx.approvals.add(row)
    return row.id


def _count(
    store: SqlStore, pending_request: str, step: Step = Step.TYPE_BACK, who: str = "ann"
) -> int | None:
    with store.write() as tx:
        return tx.ceremony_attempts.count_attempt(pending_request, step, who, MAX)


def _of(store: SqlStore, pending_request: str, *who: str) -> dict[Step, int]:
    with store.read() as view:
        return dict(view.ceremony_attempts.counts_by_step(pending_request, (who[0], who[-1])))


def test_tries_are_counted_up_to_the_limit(store: SqlStore, pending_request: str) -> None:
    """One beyond it changes nothing."""
    assert [_count(store, pending_request) for _ in range(4)] == [1, 2, None, None]
    assert _of(store, pending_request, "ann", "") == {Step.TYPE_BACK: MAX}


def test_each_step_and_user_has_separate_tries(store: SqlStore, pending_request: str) -> None:
    """Tries that count for everyone have no user."""
    _count(store, pending_request)
    _count(store, pending_request, who="bob")
    _count(store, pending_request, Step.MATCH, "")
    assert _of(store, pending_request, "ann", "") == {Step.TYPE_BACK: 1, Step.MATCH: 1}
    assert _of(store, pending_request, "eve", "") == {Step.MATCH: 1}


def test_a_returned_try_can_be_used_again(store: SqlStore, pending_request: str) -> None:
    """The count never goes below zero."""
    _count(store, pending_request)
    for _ in range(2):
        with store.write() as tx:
            tx.ceremony_attempts.undo_attempt(pending_request, Step.TYPE_BACK, "ann")
    assert _of(store, pending_request, "ann") == {Step.TYPE_BACK: 0}
    assert _count(store, pending_request) == 1


def test_concurrent_tries_are_all_counted(store: SqlStore, pending_request: str) -> None:
    """However many, only as many as the limit succeed."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: _count(store, pending_request), range(24)))
    assert sorted(one for one in found if one is not None) == [1, 2]
