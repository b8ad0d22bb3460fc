"""Caches stand on one version: what was changed is seen at the next unit of work, by everybody."""

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
from server.storage.account_tables import users
from server.storage.open import open_store
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON, MovableClock
from tests.support.checks.waiting import meanwhile, until

ANN = User("sayso_us_ann", "ann", "ann@example.org", ("approver",), "enabled", NOON)

Opener = Callable[[str], SqlStore]


@pytest.fixture
def ann(store: SqlStore) -> User:
    """A user whom everybody has looked up once."""
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


def test_the_cache_is_valid_for_its_version_and_nothing_else(
    store: SqlStore, ann: User, url: str
) -> None:
    """A row that changed without the version is not looked at again; with it, it is."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.update(users).values(state="disabled"))
    assert _seen(store) == ann

    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE installation SET admin_version = admin_version + 1"))
    assert _seen(store) == replace(ann, state="disabled")


def test_a_change_of_another_process_is_seen_at_the_next_reading_and_unit(
    store: SqlStore, ann: User, url: str, open_one: Opener
) -> None:
    """However much is remembered, nobody acts for a disabled user."""
    disabled = _disable(open_one(url))
    with store.write() as tx:
        assert tx.directory.user(ann.id) == disabled
    assert _seen(store) == disabled


def test_what_is_not_there_is_remembered_only_for_the_version(store: SqlStore) -> None:
    """A user who was unknown is known as soon as somebody adds them."""
    assert _seen(store) is None
    with store.administer() as tx:
        tx.users.add(ANN)

    assert _seen(store) == ANN
    with store.read() as view:
        assert view.directory.user_called("ANN") == ANN
        assert view.directory.user_called("Ann@Example.org") == ANN


def test_a_unit_sees_its_own_change_and_nobody_else_does(store: SqlStore, ann: User) -> None:
    """Until the unit is stored, others go on with what is."""
    disabled = replace(ann, state="disabled")
    with store.administer() as tx:
        tx.users.replace(disabled)
        assert tx.directory.user(ann.id) == disabled
        assert _seen(store) == ann

    assert _seen(store) == disabled


def test_a_change_that_was_taken_back_was_never_there(store: SqlStore, ann: User) -> None:
    """What a failed unit read of itself is in nobody's cache, under no version."""
    with suppress(LookupError), store.administer() as tx:
        tx.users.replace(replace(ann, state="disabled"))
        assert tx.directory.user(ann.id) is not None
        raise LookupError

    with store.administer():
        pass
    assert _seen(store) == ann


def test_a_commit_that_fails_leaves_nothing_in_the_cache(sqlite_url: str, open_one: Opener) -> None:
    """The units of one COMMIT stand on each other's changes; none of that outlives its failure."""
    other, store = open_one(sqlite_url), open_one(sqlite_url)
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


def test_versions_differ_even_when_changes_are_made_at_once(
    store: SqlStore, url: str, open_one: Opener
) -> None:
    """Each administrative unit has a version of its own; none is lost, none fails."""
    stores = [store, open_one(url), open_one(url)]

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


def test_administration_is_not_overtaken_for_ever(
    store: SqlStore, url: str, clock: MovableClock, ann: User
) -> None:
    """Under a load that never pauses, a command waits only for what was there before it."""
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
