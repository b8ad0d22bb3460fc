"""A one-time value is used once, by the first process that does so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from server.storage.store import SqlStore
from tests.support.builders.clock import NOON

Opener = Callable[[str], SqlStore]


def _use(store: SqlStore, key: bytes, kind: str = "proof", until: int = NOON + 1) -> bool:
    with store.write() as tx:
        return tx.replays.first_use(kind, key, until)


def test_the_first_use_counts_and_the_second_does_not(store: SqlStore) -> None:
    """Kinds are separate: a proof and an assertion may have the same id."""
    assert _use(store, b"a")
    assert not _use(store, b"a")
    assert _use(store, b"b")
    assert _use(store, b"a", kind="assertion")


def test_one_of_many_concurrent_uses_is_the_first(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Two processes with four threads each use the same key."""
    stores = [store, open_database(url)]
    for race in range(10):
        key = f"key-{race}".encode()
        with ThreadPoolExecutor(8) as threads:
            uses = [threads.submit(_use, stores[number % 2], key) for number in range(8)]
        assert [use.result(10) for use in uses].count(True) == 1


def test_a_use_in_a_rolled_back_transaction_does_not_count(store: SqlStore) -> None:
    """The caller can use the value again after the rollback."""
    with suppress(LookupError), store.write() as tx:
        tx.replays.first_use("proof", b"a", NOON + 1)
        raise LookupError

    assert _use(store, b"a")


def test_expired_uses_are_deleted(store: SqlStore) -> None:
    """A use is deleted at its expiry, and not earlier."""
    _use(store, b"a", until=NOON + 1)
    _use(store, b"b", until=NOON + 2)
    with store.write() as tx:
        assert tx.replays.prune(NOON) == 0
        assert tx.replays.prune(NOON + 1) == 1
        assert not tx.replays.first_use("proof", b"b", NOON + 2)
