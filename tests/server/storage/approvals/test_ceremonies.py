"""Attempts at ceremony steps, in the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from server.protocol.approvals.ceremonies import Step
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

MAX = 2


@pytest.fixture
def pending_request(store: SqlStore) -> str:
    """The id of a pending request."""
    row = approval_row("sayso_ap_typed", "sayso_ag_bot", "sayso_us_ann", NOON)
    with store.write() as tx:
        tx.approvals.add(row)
    return row.id


def _count(
    store: SqlStore, pending_request: str, step: Step = Step.TYPE_BACK, user: str = "ann"
) -> int | None:
    with store.write() as tx:
        return tx.ceremony_attempts.count_attempt(pending_request, step, user, MAX)


def _counts(store: SqlStore, pending_request: str, *user: str) -> dict[Step, int]:
    with store.read() as view:
        return dict(view.ceremony_attempts.counts_by_step(pending_request, (user[0], user[-1])))


def test_attempts_are_counted_up_to_the_limit(store: SqlStore, pending_request: str) -> None:
    """An attempt above the limit changes nothing."""
    assert [_count(store, pending_request) for _ in range(4)] == [1, 2, None, None]
    assert _counts(store, pending_request, "ann", "") == {Step.TYPE_BACK: MAX}


def test_attempts_are_counted_separately_by_step_and_user(
    store: SqlStore, pending_request: str
) -> None:
    """Attempts that count for all approvers together have no user."""
    _count(store, pending_request)
    _count(store, pending_request, user="bob")
    _count(store, pending_request, Step.MATCH, "")
    assert _counts(store, pending_request, "ann", "") == {Step.TYPE_BACK: 1, Step.MATCH: 1}
    assert _counts(store, pending_request, "eve", "") == {Step.MATCH: 1}


def test_an_undone_attempt_can_be_made_again(store: SqlStore, pending_request: str) -> None:
    """The count never falls below zero."""
    _count(store, pending_request)
    for _ in range(2):
        with store.write() as tx:
            tx.ceremony_attempts.undo_attempt(pending_request, Step.TYPE_BACK, "ann")
    assert _counts(store, pending_request, "ann") == {Step.TYPE_BACK: 0}
    assert _count(store, pending_request) == 1


def test_concurrent_attempts_are_all_counted(store: SqlStore, pending_request: str) -> None:
    """Exactly as many attempts succeed as the limit allows."""
    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(lambda _: _count(store, pending_request), range(24)))
    assert sorted(count for count in counts if count is not None) == [1, 2]
