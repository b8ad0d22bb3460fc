"""Caches follow one version: the next transaction of every process sees a change."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from server.model.store import Busy
from server.model.users import User
from server.services.reactions import react
from server.storage.open import open_store
from server.storage.store import SqlStore
from server.storage.users.tables import users
from tests.support.builders.clock import NOON, MovableClock
from tests.support.checks.waiting import meanwhile, until

ANN = User("sayso_us_ann", "ann", "ann@example.org", ("approver",), "enabled", NOON)

Opener = Callable[[str], SqlStore]


@pytest.fixture
def ann(store: SqlStore) -> User:
    """A user who is in the cache."""
    with store.administer() as tx:
        tx.users.add(ANN)
    assert _seen(store) == ANN
    return ANN


def _seen(store: SqlStore) -> User | None:
    with store.read() as view:
        return view.directory.user(ANN.id)


def _disable(store: SqlStore) -> User:
    disabled = replace(ANN, state="disabled")
    with store.administer() as tx:
        tx.users.replace(disabled)
    return disabled


def test_the_cache_is_valid_for_its_version(store: SqlStore, ann: User, url: str) -> None:
    """A row changed without a new version is not read again."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.update(users).values(state="disabled"))
    assert _seen(store) == ann

    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE installation SET admin_version = admin_version + 1"))
    assert _seen(store) == replace(ann, state="disabled")


def test_a_change_of_another_process_is_seen_by_the_next_transaction(
    store: SqlStore, ann: User, url: str, open_database: Opener
) -> None:
    """Nobody acts for a disabled user, whatever is cached."""
    disabled = _disable(open_database(url))
    with store.write() as tx:
        assert tx.directory.user(ann.id) == disabled
    assert _seen(store) == disabled


def test_a_missing_user_is_cached_only_for_the_version(store: SqlStore) -> None:
    """An unknown user is known as soon as they are added."""
    assert _seen(store) is None
    with store.administer() as tx:
        tx.users.add(ANN)

    assert _seen(store) == ANN
    with store.read() as view:
        assert view.directory.user_called("ANN") == ANN
        assert view.directory.user_called("Ann@Example.org") == ANN


def test_an_uncommitted_change_is_seen_only_by_its_transaction(store: SqlStore, ann: User) -> None:
    """Others see the old value until it is stored."""
    disabled = replace(ann, state="disabled")
    with store.administer() as tx:
        tx.users.replace(disabled)
        assert tx.directory.user(ann.id) == disabled
        assert _seen(store) == ann

    assert _seen(store) == disabled


def test_a_rolled_back_change_is_never_cached(store: SqlStore, ann: User) -> None:
    """The change stays out of the cache even if the failed transaction read it back."""
    with suppress(LookupError), store.administer() as tx:
        tx.users.replace(replace(ann, state="disabled"))
        assert tx.directory.user(ann.id) is not None
        raise LookupError

    with store.administer():
        pass
    assert _seen(store) == ann


def test_a_failed_commit_leaves_nothing_in_the_cache(
    sqlite_url: str, open_database: Opener
) -> None:
    """Transactions of one COMMIT see each other's changes; none survives its failure."""
    other, store = open_database(sqlite_url), open_database(sqlite_url)
    with other.administer() as tx:
        tx.users.add(ANN)
    flush = store._writer._flush
    store._writer._flush = lambda: None

    def read_too() -> User | None:
        with store.write() as tx:
            return tx.directory.user(ANN.id)

    with meanwhile(lambda: _disable(store)) as changed:
        until(lambda: store._writer._batch)
        with meanwhile(read_too) as reader:
            until(lambda: store._writer._lock.acquire(blocking=False))
            store._writer._raw.execute("PRAGMA defer_foreign_keys=ON")
            store._writer._raw.execute("INSERT INTO agent_owners VALUES ('of nothing', 'x', 1)")
            store._writer._lock.release()
            store._writer._flush = flush
            store._writer._wanted.set()
            assert isinstance(changed.exception(5), Busy)
            assert isinstance(reader.exception(5), Busy)

    with other.administer():
        pass
    assert _seen(store) == ANN


def test_concurrent_changes_get_different_versions(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """None is lost, none fails."""
    stores = [store, open_database(url), open_database(url)]

    def bump(one: SqlStore) -> None:
        for _ in range(10):
            with one.administer():
                pass

    with meanwhile(lambda: bump(stores[0])) as first, meanwhile(lambda: bump(stores[1])) as second:
        bump(stores[2])
        first.result(10)
        second.result(10)
    with store.read() as view:
        assert view.version == 31


def test_an_administrative_transaction_is_not_starved(
    store: SqlStore, url: str, clock: MovableClock, ann: User
) -> None:
    """It waits only for transactions that were there before it."""
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            with store.write() as tx:
                tx.directory.user(ann.id)
                time.sleep(0.001)

    command = open_store(url, clock, str, react, serving=False)
    with ThreadPoolExecutor(8) as threads:
        loads = [threads.submit(load) for _ in range(8)]
        began = time.monotonic()
        try:
            for _ in range(5):
                with command.administer():
                    pass
        finally:
            took = time.monotonic() - began
            over.set()
        for one in loads:
            one.result(10)
    command.close()

    assert took < 20
