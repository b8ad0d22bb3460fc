"""Outbox messages are leased to one holder at a time, until the lease ends."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.model.notifications import DeliveryFailure, OutboxMessage
from server.storage.store import SqlStore
from server.storage.writer import sqlite_connection
from tests.support.builders.clock import NOON, SECOND, MovableClock

Opener = Callable[[str], SqlStore]


def _add(store: SqlStore, count: int = 1) -> None:
    with store.write() as tx:
        for number in range(count):
            tx.outbox.add("webhook", "", f'{{"n":{number}}}')


def _lease(store: SqlStore, holder: str, limit: int = 10) -> list[OutboxMessage]:
    with store.write() as tx:
        return tx.outbox.lease(holder, limit, 60)


def _is_due(store: SqlStore) -> bool:
    with store.read() as view:
        return view.outbox.due()


def test_a_message_is_due_as_soon_as_its_transaction_is_stored(store: SqlStore) -> None:
    """The message has its contents, its times and the number of attempts."""
    assert not _is_due(store)
    _add(store)
    assert _is_due(store)
    (message,) = _lease(store, "a")

    assert message == OutboxMessage(
        message.id, "webhook", "", '{"n":0}', "leased", 1, NOON, NOON, None
    )


def test_a_message_of_a_rolled_back_transaction_is_never_sent(store: SqlStore) -> None:
    """No message is sent about a change that was not stored."""
    with suppress(LookupError), store.write() as tx:
        tx.outbox.add("webhook", "", "{}")
        raise LookupError

    assert not _is_due(store)


def test_a_batch_is_limited_and_oldest_first(store: SqlStore) -> None:
    """The remaining messages are left for the next batch."""
    _add(store, 5)
    first, second = _lease(store, "a", 3), _lease(store, "a", 3)

    assert [len(leased) for leased in (first, second)] == [3, 2]
    assert [message.body for leased in (first, second) for message in leased] == [
        f'{{"n":{number}}}' for number in range(5)
    ]


def test_concurrent_messages_to_one_target_are_limited(
    store: SqlStore, clock: MovableClock
) -> None:
    """A target that hangs delays only its own messages."""
    with store.write() as tx:
        for number in range(8):
            tx.outbox.add("ping", "hanging", f'{{"n":{number}}}')
        tx.outbox.add("ping", "quick", "{}")
        tx.outbox.add("push", "hanging", "{}")
    first = _lease(store, "a", 20)
    assert [message.target for message in first] == [*["hanging"] * 5, "quick", "hanging"]
    assert _is_due(store)
    assert _lease(store, "b", 20) == []
    with store.write() as tx:
        assert tx.outbox.mark_sent(first[0].id, "a")
        assert tx.outbox.mark_failed(first[1].id, "a", "status 403", None)
    assert [message.body for message in _lease(store, "b", 20)] == ['{"n":5}', '{"n":6}']
    clock.forward(60 * SECOND)
    assert len(_lease(store, "c", 20)) == 7


def test_a_failing_target_gets_one_message_at_a_time_until_it_accepts_one(
    store: SqlStore, clock: MovableClock
) -> None:
    """CB-166: five hanging messages at a time would use the capacity for other messages."""
    with store.write() as tx:
        for number in range(8):
            tx.outbox.add("ping", "hanging", f'{{"n":{number}}}')
    first = _lease(store, "a", 20)
    with store.write() as tx:
        for message in first:
            assert tx.outbox.mark_failed(message.id, "a", "ReadTimeout", NOON + SECOND)
    clock.forward(SECOND)
    order = []
    while leased := _lease(store, "b", 20):
        assert len(leased) == 1
        order.append(leased[0].body)
        with store.write() as tx:
            assert tx.outbox.mark_sent(leased[0].id, "b")
    assert order == [f'{{"n":{number}}}' for number in (5, 6, 7, 0, 1, 2, 3, 4)]


def test_failing_targets_leave_capacity_for_others(store: SqlStore) -> None:
    """CB-166: this holds for any number of failing targets."""
    with store.write() as tx:
        for number in range(40):
            tx.outbox.add("ping", f"hanging {number}", "{}")
    for message in _lease(store, "a", 100):
        with store.write() as tx:
            assert tx.outbox.mark_failed(message.id, "a", "ReadTimeout", NOON)
    with store.write() as tx:
        tx.outbox.add("ping", "quick", "{}")
    leased = _lease(store, "b", 100)
    assert len(leased) == 33
    assert leased[-1].target == "quick"
    assert _lease(store, "b", 100) == []


def test_a_leased_message_is_not_leased_again_until_the_lease_ends(
    store: SqlStore, clock: MovableClock
) -> None:
    """After the lease of a dead holder has ended, the next lease counts as a new attempt."""
    _add(store)
    (first,) = _lease(store, "a")
    clock.forward(60 * SECOND - 1)
    assert not _is_due(store)
    assert _lease(store, "b") == []

    clock.forward(1)
    assert _is_due(store)
    (second,) = _lease(store, "b")
    assert (second.id, second.attempts) == (first.id, 2)


def test_only_the_holder_of_a_lease_records_the_result(
    store: SqlStore, clock: MovableClock
) -> None:
    """A holder that reports after the end of its lease changes nothing."""
    _add(store)
    (message,) = _lease(store, "a")
    clock.forward(60 * SECOND)
    _lease(store, "b")
    with store.write() as tx:
        assert not tx.outbox.mark_sent(message.id, "a")
        assert not tx.outbox.mark_failed(message.id, "a", "late", None)
        assert tx.outbox.counts() == {"leased": 1}
        assert tx.outbox.mark_sent(message.id, "b")
        assert tx.outbox.counts() == {"sent": 1}


def test_a_failed_message_waits_for_its_next_attempt(store: SqlStore, clock: MovableClock) -> None:
    """The row stores the reason for the failure."""
    _add(store)
    (message,) = _lease(store, "a")
    with store.write() as tx:
        assert tx.outbox.mark_failed(message.id, "a", "status 500", NOON + 4 * SECOND)
    clock.forward(4 * SECOND - 1)
    assert not _is_due(store)

    clock.forward(1)
    (retried,) = _lease(store, "b")
    assert (retried.attempts, retried.last_error) == (2, "status 500")


def test_a_dead_message_stays_listed_and_is_never_due(store: SqlStore, clock: MovableClock) -> None:
    """A dead message is kept and is still counted and listed."""
    _add(store, 2)
    for message in _lease(store, "a"):
        with store.write() as tx:
            tx.outbox.mark_failed(message.id, "a", "status 400", None)
    clock.forward(10**9)
    assert not _is_due(store)

    with store.write() as tx:
        assert tx.outbox.prune(tx.now, dead_before=NOON) == 0
        assert tx.outbox.counts() == {"dead": 2}
        assert [m.last_error for m in tx.outbox.dead(10)] == ["status 400"] * 2
        assert [m.body for m in tx.outbox.dead(1)] == ['{"n":1}']


def test_old_delivered_messages_are_deleted(store: SqlStore, clock: MovableClock) -> None:
    """Messages that still wait are kept."""
    _add(store, 2)
    (message,) = _lease(store, "a", 1)
    with store.write() as tx:
        tx.outbox.mark_sent(message.id, "a")
    clock.forward(1)
    with store.write() as tx:
        assert tx.outbox.prune(NOON, dead_before=NOON) == 0
        assert tx.outbox.prune(NOON + 1, dead_before=NOON) == 1
        assert tx.outbox.counts() == {"waiting": 1}


def test_dead_messages_are_kept_until_their_own_deadline(
    store: SqlStore, clock: MovableClock
) -> None:
    """After their deadline, dead messages are deleted like delivered ones."""
    _add(store)
    with store.write() as tx:
        (message,) = tx.outbox.lease("a", 1, 60)
        assert tx.outbox.mark_failed(message.id, "a", "status 403", None)
    clock.forward(SECOND)
    with store.write() as tx:
        assert tx.outbox.prune(tx.now, dead_before=NOON) == 0
        assert tx.outbox.failures(NOON + 1) == []
        assert tx.outbox.failures(NOON) == [
            DeliveryFailure("webhook", "", 1, "status 403", recovered=False)
        ]
        assert tx.outbox.prune(NOON, dead_before=tx.now) == 1
        assert tx.outbox.counts() == {}


def test_two_processes_never_lease_the_same_message(
    store: SqlStore, url: str, open_database: Opener
) -> None:
    """Four workers in two processes lease all messages. Each message is leased once."""
    stores = [store, open_database(url)]
    with store.write() as tx:
        for number in range(120):
            tx.outbox.add("webhook", f"target-{number}", "{}")

    def work(number: int) -> list[int]:
        message_ids: list[int] = []
        while leased := _lease(stores[number % 2], f"worker-{number}", 5):
            assert len(leased) <= 5
            message_ids += [message.id for message in leased]
        return message_ids

    with ThreadPoolExecutor(4) as threads:
        workers = [threads.submit(work, number) for number in range(4)]
        lease_counts = Counter(message for worker in workers for message in worker.result(30))

    assert set(lease_counts.values()) == {1}
    assert len(lease_counts) == 120


def test_a_backlog_of_ten_thousand_costs_no_more_than_a_backlog_of_fifty(
    tmp_path: Path, open_database: Opener
) -> None:
    """Each commit looks for messages to send, so a backlog must not slow commits down."""
    small_store, large_store = (
        open_database(f"sqlite:///{tmp_path / name}.db") for name in ("few", "many")
    )
    for store, count in ((small_store, 50), (large_store, 10_000)):
        with store.write() as tx:
            for _ in range(count):
                tx.outbox.add("web_push", "https://push.example", "{}")
        assert len(_lease(store, "first")) == 5

    assert _steps(large_store) < 2 * _steps(small_store)


def test_a_backlog_for_one_target_does_not_hide_other_targets(store: SqlStore) -> None:
    """Messages to each target are leased, whatever its name and channel are."""
    with store.write() as tx:
        for _ in range(50):
            tx.outbox.add("push", "m", "{}")
        for channel, target in (("push", "z"), ("push", "a"), ("ping", "m"), ("webhook", "")):
            tx.outbox.add(channel, target, "{}")

    leased = Counter((message.channel, message.target) for message in _lease(store, "a", 99))
    assert leased == {
        ("push", "m"): 5,
        ("push", "z"): 1,
        ("push", "a"): 1,
        ("ping", "m"): 1,
        ("webhook", ""): 1,
    }


def _steps(store: SqlStore) -> int:
    """Count the steps that SQLite's virtual machine needs to find that nothing can be leased."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    with store.write() as tx:
        raw = sqlite_connection(tx._connection)
        raw.set_progress_handler(count, 10)
        assert tx.outbox.lease("second", 16, 60) == []
        raw.set_progress_handler(None, 0)
    return steps[0]


def test_a_dead_message_can_be_retried_once(store: SqlStore, clock: MovableClock) -> None:
    """A retried message is sent as if it were new. Other messages cannot be retried."""
    _add(store, 2)
    first, second = _lease(store, "a")
    with store.write() as tx:
        tx.outbox.mark_failed(first.id, "a", "status 400", None)
    clock.forward(10**6)
    with store.write() as tx:
        retried = tx.outbox.retry(first.id)
        assert retried is not None
        assert (retried.state, retried.attempts, retried.not_before) == ("waiting", 0, tx.now)
        assert (retried.body, retried.last_error) == (first.body, None)
        assert [tx.outbox.retry(message_id) for message_id in (first.id, second.id, 10**9)] == [
            None
        ] * 3
    assert first.id in [message.id for message in _lease(store, "b")]


@pytest.mark.postgresql
def test_a_batch_is_limited_in_every_plan(postgres_url: str, open_database: Opener) -> None:
    """PostgreSQL may select the batch again for each row, and would then lease more messages."""
    store = open_database(postgres_url)
    _add(store, 1)
    _analyze(store)
    _add(store, 20)
    assert len(_lease(store, "a", 3)) == 3


def _analyze(store: SqlStore) -> None:
    """Make the planner assume that the table stays as small as it is now."""
    with store.write() as tx:
        tx._connection.execute(sa.text("ANALYZE outbox"))
