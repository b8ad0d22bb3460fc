"""Attempts are counted exactly in each time window, across processes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from server.model.operations import CountedLimit, Window
from server.storage.store import SqlStore
from tests.support.builders.clock import MINUTE, MovableClock

Opener = Callable[[str], SqlStore]


def _count(store: SqlStore, key: str = "guesses") -> int:
    with store.write() as tx:
        return tx.counters.count(key, MINUTE)


def _peek(store: SqlStore, key: str = "guesses") -> int:
    with store.write() as tx:
        return tx.counters.peek(key)


def test_a_window_starts_counting_at_one(store: SqlStore) -> None:
    """Each key is counted separately. Peeking does not change the count."""
    assert _peek(store) == 0
    assert [_count(store), _count(store), _count(store)] == [1, 2, 3]
    assert _count(store, "others") == 1
    assert _peek(store) == 3


def test_a_window_starts_with_its_first_attempt_and_ends_on_time(
    store: SqlStore, clock: MovableClock
) -> None:
    """Later attempts do not extend the window."""
    _count(store)
    clock.forward(MINUTE - 1)
    assert _count(store) == 2

    clock.forward(1)
    assert _peek(store) == 0
    assert _count(store) == 1


def test_a_limit_counts_each_subject_in_its_own_window(
    store: SqlStore, clock: MovableClock
) -> None:
    """The prefix keeps the subjects of different limits apart."""
    limit = CountedLimit("guesses", "address", "Guesses", 5, MINUTE, "guess:")
    with store.write() as tx:
        assert [tx.counters.count_subject(limit, "ann") for _ in range(2)] == [1, 2]
        assert tx.counters.peek_subject(limit, "ann") == tx.counters.peek("guess:ann") == 2
        assert tx.counters.peek_subject(limit, "bob") == 0

    clock.forward(MINUTE)
    with store.write() as tx:
        assert tx.counters.peek_subject(limit, "ann") == 0


def test_all_addresses_of_an_ipv6_network_share_a_limit(store: SqlStore) -> None:
    """A client has a whole /64, so it could use a new address for each attempt."""
    of_address = CountedLimit("guesses", "address", "Guesses", 5, MINUTE, "guess:")
    of_app = CountedLimit("codes", "app", "Codes", 5, MINUTE, "code:")
    with store.write() as tx:
        for number in range(1, 4):
            assert tx.counters.count_subject(of_address, f"2001:db8::{number}") == number
            assert tx.counters.count_subject(of_app, f"2001:db8::{number}") == 1
        assert tx.counters.peek_subject(of_address, "2001:db8::ffff") == 3
        assert tx.counters.peek_subject(of_address, "2001:db8:0:1::1") == 0


def test_ended_windows_are_deleted(store: SqlStore, clock: MovableClock) -> None:
    """A window that is still open is kept."""
    _count(store)
    clock.forward(1)
    _count(store, "others")
    clock.forward(MINUTE - 1)
    with store.write() as tx:
        assert tx.counters.prune(tx.now) == 1
        assert tx.counters.peek("others") == 1


def test_no_concurrent_attempt_is_lost(store: SqlStore, url: str, open_database: Opener) -> None:
    """Two processes with four threads each get each count once."""
    stores = [store, open_database(url)]
    with ThreadPoolExecutor(8) as threads:
        attempts = [threads.submit(_count, stores[number % 2]) for number in range(80)]

    assert sorted(attempt.result(10) for attempt in attempts) == list(range(1, 81))


def test_an_ended_window_is_removed_once_with_its_count(
    store: SqlStore, clock: MovableClock
) -> None:
    """A key or a prefix selects the windows. Open windows stay and keep counting."""
    for key in ("more a", "more a", "more b", "most"):
        _count(store, key)
    ends = clock.now() + MINUTE
    clock.forward(MINUTE - 1)
    _count(store, "more c")
    with store.write() as tx:
        assert tx.counters.pop_ended("more a") == tx.counters.pop_ended_with_prefix("more ") == []
    clock.forward(1)
    with store.write() as tx:
        assert tx.counters.pop_ended("more a") == [Window("more a", 2, ends)]
        assert tx.counters.pop_ended_with_prefix("more ") == [Window("more b", 1, ends)]
        assert tx.counters.pop_ended_with_prefix("more ") == []
        assert tx.counters.peek("more c") == 1
