"""The outbox delivers messages, retries them, or reports them as dead."""

import hmac
import inspect
import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.crypto.secrets import KeyedSecrets
from server.delivery import outbox as delivering
from server.delivery.outbox import LEASE_SECONDS, MAX_ATTEMPTS, OutboxWorker, pause_ms
from server.delivery.webhook import Webhook
from server.model.notifications import WEBHOOK, OutboxMessage
from server.model.store import Unit
from server.services.reactions import react
from server.storage import writer
from server.storage.open import open_store
from server.storage.store import SqlStore
from tests.support.builders.clock import HOUR, MINUTE, SECOND, MovableClock
from tests.support.checks.waiting import in_background, until
from tests.support.fakes.receiver import Receiver, answer, hang, receiver

KEY = b"the operator's key"


@pytest.fixture
def receiver_server() -> Iterator[Receiver]:
    """The receiver of the operator's webhook."""
    with receiver() as running:
        yield running


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still until the test moves it."""
    return MovableClock()


@pytest.fixture
def store(tmp_path: Path, clock: MovableClock) -> Iterator[SqlStore]:
    """An empty database."""
    store = open_store(f"sqlite:///{tmp_path / 'sayso.db'}", clock, str, react, serving=True)
    store.start()
    yield store
    store.close()


@pytest.fixture
def worker(store: SqlStore, receiver_server: Receiver, tmp_path: Path) -> OutboxWorker:
    """A worker that delivers to the receiver, with a key."""
    (tmp_path / "webhook.key").write_bytes(KEY + b"\n")
    secrets = KeyedSecrets(b"m" * 32, b"p" * 32)
    hook = Webhook(receiver_server.url(), tmp_path / "webhook.key")
    return OutboxWorker(store, secrets, {WEBHOOK: hook})


def _add(store: SqlStore, *bodies: str) -> None:
    with store.write() as tx:
        for body in bodies or ('{"event":"approval.requested"}',):
            tx.outbox.add("webhook", "", body)


def _counts(store: SqlStore) -> dict[str, int]:
    with store.read() as view:
        return dict(view.outbox.counts())


def test_a_message_is_delivered_once_with_its_id(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """A delivered message is never sent again."""
    _add(store, '{"event":"approval.requested"}')
    assert worker.round() == 1
    assert worker.round() == 0
    (request,) = receiver_server.got

    assert json.loads(request.body) == {"event": "approval.requested"}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Sayso-Event-Id"] == "1"
    assert _counts(store) == {"sent": 1}


def test_the_signature_is_an_hmac_of_the_id_and_the_exact_body(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """The key is that of the file, without the trailing whitespace that an editor adds.

    The id is also signed, so an old message cannot be replayed with a new id.
    """
    _add(store)
    worker.round()
    (request,) = receiver_server.got
    signed = request.headers["Sayso-Event-Id"].encode() + b"." + request.body
    expected = hmac.new(KEY, signed, "sha256").hexdigest()

    assert request.headers["Sayso-Signature"] == f"sha256={expected}"


def test_a_key_of_raw_bytes_is_used_unchanged(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver, tmp_path: Path
) -> None:
    """A random last byte that is a line feed is part of the key."""
    key = b"\x8a" * 31 + b"\n"
    (tmp_path / "webhook.key").write_bytes(key)
    _add(store)
    worker.round()
    (request,) = receiver_server.got

    expected = hmac.new(key, b"1." + request.body, "sha256").hexdigest()
    assert request.headers["Sayso-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("key", [None, b"", b" \n"])
def test_without_a_webhook_key_nothing_is_sent_and_the_reason_is_logged(
    store: SqlStore,
    worker: OutboxWorker,
    receiver_server: Receiver,
    tmp_path: Path,
    clock: MovableClock,
    key: bytes | None,
) -> None:
    """A receiver that verifies signatures would drop an unsigned message.

    The message is sent when the key is back.
    """
    (tmp_path / "webhook.key").unlink()
    if key is not None:
        (tmp_path / "webhook.key").write_bytes(key)
    _add(store)
    with capture_logs() as log:
        worker.round()

    assert receiver_server.got == []
    assert [line["event"] for line in log] == ["outbox.undelivered"]
    assert "webhook.key" in log[0]["error"]
    (tmp_path / "webhook.key").write_bytes(KEY)
    clock.forward(SECOND)
    worker.round()
    assert _counts(store) == {"sent": 1}


def test_an_internal_error_is_logged_and_retried_until_the_message_is_dead(
    store: SqlStore, worker: OutboxWorker, clock: MovableClock
) -> None:
    """The error does not stop the worker, and the message is not retried forever."""

    class Broken:
        def deliver(self, message: OutboxMessage) -> None:
            raise KeyError(message.id)

        def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
            raise NotImplementedError

        def on_abandoned(self, _: Unit, message: OutboxMessage, reason: str) -> None:
            dead.append(f"{message.channel}: {reason}")

    dead: list[str] = []
    broken = replace(worker, channels={WEBHOOK: Broken()})
    _add(store)
    with capture_logs() as log:
        for _ in range(MAX_ATTEMPTS):
            assert broken.round() == 1
            clock.forward(2 * HOUR)

    assert {line["event"] for line in log} == {"outbox.failed"}
    assert _counts(store) == {"dead": 1}
    assert dead == ["webhook: internal error: KeyError"]


def test_a_delivery_that_could_not_be_recorded_is_repeated_after_its_lease(
    monkeypatch: pytest.MonkeyPatch,
    store: SqlStore,
    worker: OutboxWorker,
    receiver_server: Receiver,
    clock: MovableClock,
    tmp_path: Path,
) -> None:
    """I12: a locked database is not a failure. The receiver detects the repeat by its id."""
    monkeypatch.setattr(writer, "_TIMEOUT_SECONDS", 0.1)
    _add(store)
    other = sqlite3.connect(tmp_path / "sayso.db", isolation_level=None)

    def run_while_locked(work: Callable[[], None]) -> None:
        other.execute("BEGIN IMMEDIATE")
        work()
        other.execute("ROLLBACK")

    with capture_logs() as log:
        assert replace(worker, run=run_while_locked).round() == 1
    other.close()
    assert [line["event"] for line in log] == ["outbox.waits"]
    assert worker.in_delivery == set()

    clock.forward((LEASE_SECONDS + 1) * SECOND)
    worker.round()
    assert _counts(store) == {"sent": 1}
    assert [request.headers["Sayso-Event-Id"] for request in receiver_server.got] == ["1", "1"]


def test_a_new_id_for_each_delivery_is_detected(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """I12: with the planted fault, a repeated delivery looks like a different event."""
    deliver, numbers = Webhook.deliver, itertools.count(1)

    def deliver_with_new_id(hook: Webhook, message: OutboxMessage) -> None:
        deliver(hook, replace(message, id=next(numbers)))

    monkeypatch.setattr(Webhook, "deliver", deliver_with_new_id)
    check = test_a_delivery_that_could_not_be_recorded_is_repeated_after_its_lease
    names = inspect.signature(check).parameters
    with pytest.raises(AssertionError):
        check(**{name: request.getfixturevalue(name) for name in names})


def test_a_failed_delivery_is_retried_after_a_pause_that_doubles(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver, clock: MovableClock
) -> None:
    """A retry waits for the whole pause and has the same ID."""
    receiver_server.behavior = answer(500)
    _add(store)
    for pause in (1, 2, 4, 8):
        assert worker.round() == 1
        clock.forward(pause * SECOND - 1)
        assert worker.round() == 0
        clock.forward(1)
    receiver_server.behavior = answer(200)
    worker.round()

    assert {request.headers["Sayso-Event-Id"] for request in receiver_server.got} == {"1"}
    assert len(receiver_server.got) == 5
    assert _counts(store) == {"sent": 1}


def test_pauses_double_up_to_an_hour() -> None:
    """The first pause is one second, and the last ones are an hour long."""
    assert [pause_ms(n) for n in (1, 2, 3)] == [SECOND, 2 * SECOND, 4 * SECOND]
    assert pause_ms(12) == 2048 * SECOND
    assert pause_ms(40) == HOUR


def test_a_message_is_dead_after_the_last_attempt(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver, clock: MovableClock
) -> None:
    """After twelve attempts over more than an hour, the message is listed with the reason."""
    receiver_server.behavior = answer(503)
    _add(store)
    for _ in range(MAX_ATTEMPTS + 3):
        worker.round()
        clock.forward(HOUR)
    with store.read() as view:
        (dead,) = view.outbox.dead(10)

    assert len(receiver_server.got) == MAX_ATTEMPTS == 12
    assert (dead.attempts, dead.last_error) == (12, "status 503")


def test_a_refused_message_is_dead_immediately(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """The next message is still delivered."""
    receiver_server.behavior = answer(400)
    _add(store)
    worker.round()
    receiver_server.behavior = answer(200)
    _add(store)
    worker.round()

    assert len(receiver_server.got) == 2
    assert _counts(store) == {"dead": 1, "sent": 1}


def test_the_delivery_of_a_worker_that_died_is_repeated(
    store: SqlStore,
    worker: OutboxWorker,
    receiver_server: Receiver,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message was delivered but not recorded, so it is sent again with the same id."""

    def die(*_: object) -> None:
        raise SystemExit

    _add(store)
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_record", die)
        with pytest.raises(SystemExit):
            worker.round()
    assert worker.round() == 0

    clock.forward(MINUTE)
    assert worker.round() == 1
    assert [request.headers["Sayso-Event-Id"] for request in receiver_server.got] == ["1", "1"]
    assert _counts(store) == {"sent": 1}


def test_two_workers_never_deliver_the_same_message(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """Two workers at the same time send each of many messages once."""
    _add(store, *[f'{{"n":{number}}}' for number in range(40)])

    def work() -> None:
        while worker.round():
            pass

    with in_background(work) as first, in_background(work) as second:
        first.result(30)
        second.result(30)

    assert sorted(
        int(request.headers["Sayso-Event-Id"]) for request in receiver_server.got
    ) == list(range(1, 41))
    assert _counts(store) == {"sent": 40}


def test_a_receiver_that_hangs_does_not_delay_other_messages(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """While a receiver hangs, changes are stored and another worker delivers messages."""
    receiver_server.behavior = lambda handler: (
        handler.receiver.over.wait(60)
        if b"slow" in handler.receiver.got[-1].body
        else answer(200)(handler)
    )
    _add(store, '{"is":"slow"}')
    with in_background(worker.round) as slow:
        until(lambda: receiver_server.got)
        _add(store, '{"is":"quick"}')
        assert replace(worker).round() == 1
        assert not slow.done()
        assert _counts(store) == {"leased": 1, "sent": 1}
        receiver_server.over.set()


def test_without_a_webhook_nothing_is_sent(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """The messages do not accumulate in the outbox."""
    _add(store)
    assert replace(worker, channels={}).round() == 1

    assert receiver_server.got == []
    assert _counts(store) == {"sent": 1}


def test_messages_without_a_webhook_do_not_delay_other_channels(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver, tmp_path: Path
) -> None:
    """Pushes and callbacks are sent in the same round."""
    ping = Webhook(receiver_server.url(), tmp_path / "webhook.key")
    _add(store, *["{}"] * 3)
    with store.write() as tx:
        tx.outbox.add("ping", "", '{"called":1}')
    assert replace(worker, channels={"ping": ping}).round() == 4
    assert [request.body for request in receiver_server.got] == [b'{"called":1}']
    assert _counts(store) == {"sent": 4}


def test_a_message_of_a_removed_channel_is_marked_as_sent(
    store: SqlStore, worker: OutboxWorker
) -> None:
    """A message from an older version is not retried forever."""
    with store.write() as tx:
        tx.outbox.add("pigeon", "", "{}")
    assert worker.round() == 1
    assert _counts(store) == {"sent": 1}


def test_messages_are_delivered_concurrently(
    store: SqlStore, worker: OutboxWorker, receiver_server: Receiver
) -> None:
    """A target that hangs delays no other target, and each finished delivery frees a slot."""
    receiver_server.behavior = hang
    deliveries: list[Callable[[], None]] = []
    finished: list[int] = []
    concurrent = replace(worker, run=deliveries.append, on_finished=lambda: finished.append(1))
    _add(store, *["{}"] * 7)
    assert (concurrent.round(), concurrent.round()) == (5, 0)
    assert len(concurrent.in_delivery) == 5
    receiver_server.behavior = answer(200)
    deliveries[0]()
    assert (len(finished), len(concurrent.in_delivery)) == (1, 4)
    assert concurrent.round() == 1


def test_concurrent_deliveries_are_limited(
    store: SqlStore, worker: OutboxWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process keeps capacity for requests, whatever the number of due messages is."""
    monkeypatch.setattr(delivering, "MAX_CONCURRENT", 2)
    concurrent = replace(worker, run=lambda _: None)
    _add(store, "{}", "{}", "{}")
    assert [concurrent.round(), concurrent.round()] == [2, 0]
