"""Tries in ceremonies, in the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from server.protocol.approvals.ceremonies import Step
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON
from tests.support.builders.installation import approval_row

MOST = 2


@pytest.fixture
def asked(store: SqlStore) -> str:
    """A request."""
    row = approval_row("sayso_ap_typed", "sayso_ag_bot", "sayso_us_ann", NOON)
    with store.write() as tx:
        tx.approvals.add(row)
    return row.id


def _count(
    store: SqlStore, asked: str, step: Step = Step.TYPE_BACK, who: str = "ann"
) -> int | None:
    with store.write() as tx:
        return tx.ceremony_tries.count(asked, step, who, MOST)


def _of(store: SqlStore, asked: str, *who: str) -> dict[Step, int]:
    with store.read() as view:
        return dict(view.ceremony_tries.of(asked, (who[0], who[-1])))


def test_tries_are_counted_up_to_the_most(store: SqlStore, asked: str) -> None:
    """One beyond that is none, and changes nothing."""
    assert [_count(store, asked) for _ in range(4)] == [1, 2, None, None]
    assert _of(store, asked, "ann", "") == {Step.TYPE_BACK: MOST}


def test_each_step_and_person_has_tries_of_their_own(store: SqlStore, asked: str) -> None:
    """Those that count for everybody stand under no name."""
    _count(store, asked)
    _count(store, asked, who="bob")
    _count(store, asked, Step.MATCH, "")
    assert _of(store, asked, "ann", "") == {Step.TYPE_BACK: 1, Step.MATCH: 1}
    assert _of(store, asked, "eve", "") == {Step.MATCH: 1}


def test_a_try_is_given_back_once_for_each_that_was_counted(store: SqlStore, asked: str) -> None:
    """Never below none."""
    _count(store, asked)
    for _ in range(2):
        with store.write() as tx:
            tx.ceremony_tries.uncount(asked, Step.TYPE_BACK, "ann")
    assert _of(store, asked, "ann") == {Step.TYPE_BACK: 0}
    assert _count(store, asked) == 1


def test_tries_that_come_at_once_are_all_counted(store: SqlStore, asked: str) -> None:
    """However many there are, the most get through."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: _count(store, asked), range(24)))
    assert sorted(one for one in found if one is not None) == [1, 2]
