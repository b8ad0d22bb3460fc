"""The feed is read by cursor, and no reader misses an event that appears later."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from server.model.notifications import FeedEvent
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON, MovableClock

ANN, BOB = "sayso_us_ann", "sayso_us_bob"

Opener = Callable[[str], SqlStore]


def _add_event(store: SqlStore, user: str = ANN, event: str = "approval.requested") -> None:
    with store.write() as tx:
        tx.feed.add(user, event, approval_id="sayso_ap_1")
    store.sequence()


def _event_numbers_after(
    store: SqlStore, cursor: int, user: str | None = ANN, limit: int = 100
) -> list[int]:
    with store.read() as view:
        return [event.seq for event in view.feed.events_after(cursor, user, limit)]


def test_an_empty_feed_starts_at_zero(store: SqlStore) -> None:
    """Head and floor are 0, and there are no events."""
    with store.read() as view:
        assert (view.feed.head(), view.feed.floor()) == (0, 0)
        assert view.feed.events_after(0, None, 10) == []


def test_events_after_a_cursor_are_in_order_and_by_user(store: SqlStore) -> None:
    """The process that wakes screens reads the events of all users. A limit keeps the oldest."""
    for user in (ANN, BOB, ANN, ANN):
        _add_event(store, user)

    assert _event_numbers_after(store, 0) == [1, 3, 4]
    assert _event_numbers_after(store, 1) == [3, 4]
    assert _event_numbers_after(store, 4) == []
    assert _event_numbers_after(store, 0, None) == [1, 2, 3, 4]
    assert _event_numbers_after(store, 0, limit=2) == [1, 3]
    with store.read() as view:
        assert (view.feed.head(), view.feed.floor()) == (4, 1)


def test_an_event_has_its_subject_and_time(store: SqlStore, clock: MovableClock) -> None:
    """The time of an event is the time of its transaction."""
    clock.forward(7)
    with store.write() as tx:
        tx.feed.add(ANN, "device.enrolled", device_id="sayso_dv_1")
        subject = {"agent_id": "sayso_ag_1", "incident_id": "sayso_in_1"}
        tx.feed.add(ANN, "alarm.incident_opened", **subject)
    store.sequence()
    with store.read() as view:
        events = view.feed.events_after(0, ANN, 10)

    assert events == [
        FeedEvent(1, ANN, "device.enrolled", NOON + 7, None, "sayso_dv_1"),
        FeedEvent(2, ANN, "alarm.incident_opened", NOON + 7, None, None, None, **subject),
    ]


def test_an_event_of_a_rolled_back_transaction_never_appears(store: SqlStore) -> None:
    """A rolled-back event leaves no gap that a cursor would wait for."""
    with suppress(LookupError), store.write() as tx:
        tx.feed.add(ANN, "approval.requested")
        raise LookupError
    _add_event(store)

    assert len(_event_numbers_after(store, 0)) == 1


def test_pruning_deletes_old_events_and_keeps_numbering(
    store: SqlStore, clock: MovableClock
) -> None:
    """The floor rises, so old cursors are detected. The newest event is kept for its number."""
    _add_event(store)
    _add_event(store)
    clock.forward(DAY)
    with store.write() as tx:
        assert tx.feed.prune(NOON + 1) == 1
        assert tx.feed.prune(NOON + 1) == 0
    _add_event(store)

    assert _event_numbers_after(store, 0) == [2, 3]
    with store.read() as view:
        assert (view.feed.head(), view.feed.floor()) == (3, 2)


def test_on_postgresql_an_event_appears_when_it_is_numbered(
    postgres_url: str, open_database: Opener
) -> None:
    """No reader gets an event before the sequencer has numbered it."""
    store = open_database(postgres_url)
    with store.write() as tx:
        tx.feed.add(ANN, "approval.requested")
    assert _event_numbers_after(store, 0, None) == []

    assert store.sequence() == 1
    assert store.sequence() == 0
    assert _event_numbers_after(store, 0, None) == [1]


def test_a_second_sequencer_leaves_the_work_to_the_first(
    postgres_url: str, open_database: Opener
) -> None:
    """Only one sequencer at a time numbers events. The other one does not wait."""
    first, second = open_database(postgres_url), open_database(postgres_url)
    with first.write() as tx:
        tx.feed.add(ANN, "approval.requested")
    with first._writer.transaction() as connection:
        connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(7243001)")
        assert second.sequence() == 0

    assert second.sequence() == 1


def test_a_reader_of_eight_concurrent_writers_gets_every_event_once(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Transactions overlap. The reader gets all stored events, in ascending order."""
    stores = [store, open_database(url)]
    done = threading.Event()

    def write(writer: int) -> None:
        for number in range(20):
            with stores[writer % 2].write() as tx:
                tx.feed.add(ANN, f"{writer}-{number}")
                time.sleep(0.001 * (writer % 4))

    def sequence() -> None:
        while not done.is_set():
            stores[0].sequence()
            stores[1].sequence()

    def read() -> list[FeedEvent]:
        received: list[FeedEvent] = []
        while len(received) < 160:
            with store.read() as view:
                received += view.feed.events_after(received[-1].seq if received else 0, None, 7)
        return received

    with ThreadPoolExecutor(10) as threads:
        reader, sequencer = threads.submit(read), threads.submit(sequence)
        for future in [threads.submit(write, writer) for writer in range(8)]:
            future.result(30)
        received = reader.result(30)
        done.set()
        sequencer.result(10)

    assert [event.seq for event in received] == list(range(1, 161))
    assert {event.event for event in received} == {f"{p}-{n}" for p in range(8) for n in range(20)}
