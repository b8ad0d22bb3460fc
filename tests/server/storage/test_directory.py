"""All caches follow one version, so the next transaction in each process sees a change."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from server.model.approvers import Group
from server.model.store import Busy
from server.model.users import User
from server.services.reactions import react
from server.storage.open import open_store
from server.storage.store import SqlStore
from server.storage.users.tables import users
from tests.support.builders.clock import NOON, MovableClock
from tests.support.checks.waiting import in_background, until

ANN = User("sayso_us_ann", "ann", "ann@example.org", ("approver",), "enabled", NOON)

Opener = Callable[[str], SqlStore]


@pytest.fixture
def ann(store: SqlStore) -> User:
    """A user whose row is in the cache."""
    with store.administer() as tx:
        tx.users.add(ANN)
    assert _read_ann(store) == ANN
    return ANN


def _read_ann(store: SqlStore) -> User | None:
    with store.read() as view:
        return view.directory.user(ANN.id)


def _disable(store: SqlStore) -> User:
    disabled = replace(ANN, state="disabled")
    with store.administer() as tx:
        tx.users.replace(disabled)
    return disabled


def test_the_cache_is_valid_for_its_version(store: SqlStore, ann: User, url: str) -> None:
    """A row that changes without a new version is not read again."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.update(users).values(state="disabled"))
    assert _read_ann(store) == ann

    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE installation SET admin_version = admin_version + 1"))
    assert _read_ann(store) == replace(ann, state="disabled")


def test_a_change_of_another_process_is_seen_by_the_next_transaction(
    store: SqlStore, ann: User, url: str, open_database: Opener
) -> None:
    """A user who is disabled in one process is disabled in all, whatever is cached."""
    disabled = _disable(open_database(url))
    with store.write() as tx:
        assert tx.directory.user(ann.id) == disabled
    assert _read_ann(store) == disabled


def test_a_missing_user_is_cached_only_for_the_version(store: SqlStore) -> None:
    """A user is found as soon as they are added."""
    assert _read_ann(store) is None
    with store.administer() as tx:
        tx.users.add(ANN)

    assert _read_ann(store) == ANN
    with store.read() as view:
        assert view.directory.find_user("ANN") == ANN
        assert view.directory.find_user("Ann@Example.org") == ANN


@pytest.mark.parametrize("typed", ["José", "JOSE\u0301", "jose\u0301"])
def test_a_name_is_found_in_each_unicode_form(store: SqlStore, typed: str) -> None:
    """Stored names are in NFC, but some keyboards and files decompose accented letters."""
    jose = User("sayso_us_jose", "jos\u00e9", None, ("approver",), "enabled", NOON)
    group = Group("sayso_gr_zurich", "Z\u00fcrich", (), NOON)
    with store.administer() as tx:
        tx.users.add(jose)
        tx.groups.add(group)
    with store.read() as view:
        assert view.directory.find_user(typed) == jose
        assert view.directory.find_group("zu\u0308rich") == group


def test_an_uncommitted_change_is_seen_only_by_its_transaction(store: SqlStore, ann: User) -> None:
    """Other transactions see the old value until the change is committed."""
    disabled = replace(ann, state="disabled")
    with store.administer() as tx:
        tx.users.replace(disabled)
        assert tx.directory.user(ann.id) == disabled
        assert _read_ann(store) == ann

    assert _read_ann(store) == disabled


def test_a_rolled_back_change_is_never_cached(store: SqlStore, ann: User) -> None:
    """The change is not cached even if the failed transaction reads it."""
    with suppress(LookupError), store.administer() as tx:
        tx.users.replace(replace(ann, state="disabled"))
        assert tx.directory.user(ann.id) is not None
        raise LookupError

    with store.administer():
        pass
    assert _read_ann(store) == ann


def test_a_failed_commit_leaves_nothing_in_the_cache(
    sqlite_url: str, open_database: Opener
) -> None:
    """Transactions that share a COMMIT see each other's changes. If it fails, all are lost."""
    other, store = open_database(sqlite_url), open_database(sqlite_url)
    with other.administer() as tx:
        tx.users.add(ANN)
    flush = store._writer._flush
    store._writer._flush = lambda: None

    def read() -> User | None:
        with store.write() as tx:
            return tx.directory.user(ANN.id)

    with in_background(lambda: _disable(store)) as writer:
        until(lambda: store._writer._batch)
        with in_background(read) as reader:
            until(lambda: store._writer._lock.acquire(blocking=False))
            store._writer._raw.execute("PRAGMA defer_foreign_keys=ON")
            store._writer._raw.execute("INSERT INTO agent_owners VALUES ('of nothing', 'x', 1)")
            store._writer._lock.release()
            store._writer._flush = flush
            store._writer._flush_requested.set()
            assert isinstance(writer.exception(5), Busy)
            assert isinstance(reader.exception(5), Busy)

    with other.administer():
        pass
    assert _read_ann(store) == ANN


def test_concurrent_changes_get_different_versions(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """No change is lost, and none fails."""
    stores = [store, open_database(url), open_database(url)]

    def bump(database: SqlStore) -> None:
        for _ in range(10):
            with database.administer():
                pass

    with (
        in_background(lambda: bump(stores[0])) as first,
        in_background(lambda: bump(stores[1])) as second,
    ):
        bump(stores[2])
        first.result(10)
        second.result(10)
    with store.read() as view:
        assert view.version == 31


def test_an_administrative_transaction_is_not_starved(
    store: SqlStore, url: str, clock: MovableClock, ann: User
) -> None:
    """An administrative change waits only for transactions that started before it."""
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            with store.write() as tx:
                tx.directory.user(ann.id)
                time.sleep(0.001)

    command = open_store(url, clock, str, react, serving=False)
    with ThreadPoolExecutor(8) as threads:
        loads = [threads.submit(load) for _ in range(8)]
        started = time.monotonic()
        try:
            for _ in range(5):
                with command.administer():
                    pass
        finally:
            seconds = time.monotonic() - started
            done.set()
        for future in loads:
            future.result(10)
    command.close()

    assert seconds < 20
