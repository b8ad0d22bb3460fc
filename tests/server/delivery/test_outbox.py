"""What is in the outbox leaves, is tried again, or is given up where everybody can see it."""

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
from server.model.notifications import OutboxMessage
from server.model.store import Unit
from server.services.notifications.notices import WEBHOOK
from server.services.reactions import react
from server.storage import writer
from server.storage.open import open_store
from server.storage.store import SqlStore
from tests.support.builders.clock import HOUR, MINUTE, SECOND, MovableClock
from tests.support.checks.waiting import meanwhile, until
from tests.support.fakes.receiver import Receiver, answer, hang, receiver

KEY = b"the operator's key"


@pytest.fixture
def far() -> Iterator[Receiver]:
    """The operator's hook."""
    with receiver() as made:
        yield made


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
def worker(store: SqlStore, far: Receiver, tmp_path: Path) -> OutboxWorker:
    """A worker that delivers to the receiver, with a key."""
    (tmp_path / "webhook.key").write_bytes(KEY + b"\n")
    secrets = KeyedSecrets(b"m" * 32, b"p" * 32)
    hook = Webhook(far.url(), tmp_path / "webhook.key")
    return OutboxWorker(store, secrets, {WEBHOOK: hook})


def _put(store: SqlStore, *bodies: str) -> None:
    with store.write() as tx:
        for body in bodies or ('{"event":"approval.requested"}',):
            tx.outbox.add("webhook", "", body)


def _counts(store: SqlStore) -> dict[str, int]:
    with store.read() as view:
        return dict(view.outbox.counts())


def test_a_message_is_delivered_once_with_its_id(
    store: SqlStore, worker: OutboxWorker, far: Receiver
) -> None:
    """And never again after success."""
    _put(store, '{"event":"approval.requested"}')
    assert worker.round() == 1
    assert worker.round() == 0
    (got,) = far.got

    assert json.loads(got.body) == {"event": "approval.requested"}
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Sayso-Event-Id"] == "1"
    assert _counts(store) == {"sent": 1}


def test_the_signature_is_an_hmac_of_the_id_and_the_very_bytes(
    store: SqlStore, worker: OutboxWorker, far: Receiver
) -> None:
    """With the key of the file, whatever white space its editor left.

    Nobody gives an old message a new id: the id is signed with it.
    """
    _put(store)
    worker.round()
    (got,) = far.got
    signed = got.headers["Sayso-Event-Id"].encode() + b"." + got.body
    expected = hmac.new(KEY, signed, "sha256").hexdigest()

    assert got.headers["Sayso-Signature"] == f"sha256={expected}"


def test_a_key_of_raw_bytes_is_used_as_it_is(
    store: SqlStore, worker: OutboxWorker, far: Receiver, tmp_path: Path
) -> None:
    """A random byte at its end that happens to be a line feed belongs to it."""
    key = b"\x8a" * 31 + b"\n"
    (tmp_path / "webhook.key").write_bytes(key)
    _put(store)
    worker.round()
    (got,) = far.got

    expected = hmac.new(key, b"1." + got.body, "sha256").hexdigest()
    assert got.headers["Sayso-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("key", [None, b"", b" \n"])
def test_without_a_key_nothing_leaves_and_the_reason_shows(
    store: SqlStore,
    worker: OutboxWorker,
    far: Receiver,
    tmp_path: Path,
    clock: MovableClock,
    key: bytes | None,
) -> None:
    """A receiver that checks signatures would be right to drop it. It leaves when the key is back.

    The reason is in the log and with the message.
    """
    (tmp_path / "webhook.key").unlink()
    if key is not None:
        (tmp_path / "webhook.key").write_bytes(key)
    _put(store)
    with capture_logs() as said:
        worker.round()

    assert far.got == []
    assert [line["event"] for line in said] == ["outbox.undelivered"]
    assert "webhook.key" in said[0]["error"]
    (tmp_path / "webhook.key").write_bytes(KEY)
    clock.forward(SECOND)
    worker.round()
    assert _counts(store) == {"sent": 1}


def test_a_fault_of_ours_is_logged_tried_again_and_given_up_like_any_other(
    store: SqlStore, worker: OutboxWorker, clock: MovableClock
) -> None:
    """It neither stops the worker nor keeps its message for ever."""

    class Broken:
        def deliver(self, message: OutboxMessage) -> None:
            raise KeyError(message.id)

        def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
            raise NotImplementedError

        def on_given_up(self, _: Unit, message: OutboxMessage, why: str) -> None:
            given_up.append(f"{message.channel}: {why}")

    given_up: list[str] = []
    broken = replace(worker, channels={WEBHOOK: Broken()})
    _put(store)
    with capture_logs() as said:
        for _ in range(MAX_ATTEMPTS):
            assert broken.round() == 1
            clock.forward(2 * HOUR)

    assert {line["event"] for line in said} == {"outbox.failed"}
    assert _counts(store) == {"dead": 1}
    assert given_up == ["webhook: internal error: KeyError"]


def test_what_was_delivered_while_others_held_the_database_is_delivered_again_after_its_lease(
    monkeypatch: pytest.MonkeyPatch,
    store: SqlStore,
    worker: OutboxWorker,
    far: Receiver,
    clock: MovableClock,
    tmp_path: Path,
) -> None:
    """I12: no fault, when it could not be written down; the receiver tells repeats apart."""
    monkeypatch.setattr(writer, "_TIMEOUT_SECONDS", 0.1)
    _put(store)
    another = sqlite3.connect(tmp_path / "sayso.db", isolation_level=None)

    def while_held(work: Callable[[], None]) -> None:
        another.execute("BEGIN IMMEDIATE")
        work()
        another.execute("ROLLBACK")

    with capture_logs() as said:
        assert replace(worker, run=while_held).round() == 1
    another.close()
    assert [line["event"] for line in said] == ["outbox.waits"]
    assert worker.in_delivery == set()

    clock.forward((LEASE_SECONDS + 1) * SECOND)
    worker.round()
    assert _counts(store) == {"sent": 1}
    assert [got.headers["Sayso-Event-Id"] for got in far.got] == ["1", "1"]


def test_a_name_for_each_delivery_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """I12: a seeded bug: what is delivered again looks like another event."""
    deliver, numbers = Webhook.deliver, itertools.count(1)

    def anew(hook: Webhook, message: OutboxMessage) -> None:
        deliver(hook, replace(message, id=next(numbers)))

    monkeypatch.setattr(Webhook, "deliver", anew)
    check = (
        test_what_was_delivered_while_others_held_the_database_is_delivered_again_after_its_lease
    )
    names = inspect.signature(check).parameters
    with pytest.raises(AssertionError):
        check(**{name: request.getfixturevalue(name) for name in names})


def test_a_fault_is_tried_again_after_a_pause_that_doubles(
    store: SqlStore, worker: OutboxWorker, far: Receiver, clock: MovableClock
) -> None:
    """Not before the pause is over; the same id every time, so that a receiver can tell."""
    far.behaviour = answer(500)
    _put(store)
    for pause in (1, 2, 4, 8):
        assert worker.round() == 1
        clock.forward(pause * SECOND - 1)
        assert worker.round() == 0
        clock.forward(1)
    far.behaviour = answer(200)
    worker.round()

    assert {got.headers["Sayso-Event-Id"] for got in far.got} == {"1"}
    assert len(far.got) == 5
    assert _counts(store) == {"sent": 1}


def test_pauses_double_up_to_an_hour() -> None:
    """From one second; the last ones are an hour apart."""
    assert [pause_ms(n) for n in (1, 2, 3)] == [SECOND, 2 * SECOND, 4 * SECOND]
    assert pause_ms(12) == 2048 * SECOND
    assert pause_ms(40) == HOUR


def test_after_so_many_tries_it_is_given_up_visibly(
    store: SqlStore, worker: OutboxWorker, far: Receiver, clock: MovableClock
) -> None:
    """Twelve tries over more than an hour; then it lies among the dead with the reason."""
    far.behaviour = answer(503)
    _put(store)
    for _ in range(MAX_ATTEMPTS + 3):
        worker.round()
        clock.forward(HOUR)
    with store.read() as view:
        (dead,) = view.outbox.dead(10)

    assert len(far.got) == MAX_ATTEMPTS == 12
    assert (dead.attempts, dead.last_error) == (12, "status 503")


def test_a_refusal_is_dead_at_once(store: SqlStore, worker: OutboxWorker, far: Receiver) -> None:
    """And the next message is delivered all the same."""
    far.behaviour = answer(400)
    _put(store)
    worker.round()
    far.behaviour = answer(200)
    _put(store)
    worker.round()

    assert len(far.got) == 2
    assert _counts(store) == {"dead": 1, "sent": 1}


def test_a_worker_that_died_is_followed_by_another(
    store: SqlStore,
    worker: OutboxWorker,
    far: Receiver,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It delivered and could not say so: the message comes again, with its id."""

    def die(*_: object) -> None:
        raise SystemExit

    _put(store)
    with monkeypatch.context() as dying:
        dying.setattr(delivering, "_record", die)
        with pytest.raises(SystemExit):
            worker.round()
    assert worker.round() == 0

    clock.forward(MINUTE)
    assert worker.round() == 1
    assert [got.headers["Sayso-Event-Id"] for got in far.got] == ["1", "1"]
    assert _counts(store) == {"sent": 1}


def test_two_workers_never_deliver_one_message_within_a_lease(
    store: SqlStore, worker: OutboxWorker, far: Receiver
) -> None:
    """However many messages there are, each leaves once."""
    _put(store, *[f'{{"n":{number}}}' for number in range(40)])

    def work() -> None:
        while worker.round():
            pass

    with meanwhile(work) as first, meanwhile(work) as second:
        first.result(30)
        second.result(30)

    assert sorted(int(got.headers["Sayso-Event-Id"]) for got in far.got) == list(range(1, 41))
    assert _counts(store) == {"sent": 40}


def test_a_receiver_that_hangs_delays_nobody_else(
    store: SqlStore, worker: OutboxWorker, far: Receiver
) -> None:
    """While one waits for it, units of work are stored and another worker delivers."""
    far.behaviour = lambda handler: (
        handler.receiver.over.wait(60)
        if b"slow" in handler.receiver.got[-1].body
        else answer(200)(handler)
    )
    _put(store, '{"is":"slow"}')
    with meanwhile(worker.round) as slow:
        until(lambda: far.got)
        _put(store, '{"is":"quick"}')
        assert replace(worker).round() == 1
        assert not slow.done()
        assert _counts(store) == {"leased": 1, "sent": 1}
        far.over.set()


def test_where_no_hook_is_configured_nothing_leaves(
    store: SqlStore, worker: OutboxWorker, far: Receiver
) -> None:
    """And nothing piles up."""
    _put(store)
    assert replace(worker, channels={}).round() == 1

    assert far.got == []
    assert _counts(store) == {"sent": 1}


def test_what_no_hook_wants_keeps_nothing_else_waiting(
    store: SqlStore, worker: OutboxWorker, far: Receiver, tmp_path: Path
) -> None:
    """A busy installation writes such messages all the time; pushes and calls leave beside them."""
    ping = Webhook(far.url(), tmp_path / "webhook.key")
    _put(store, *["{}"] * 3)
    with store.write() as tx:
        tx.outbox.add("ping", "", '{"called":1}')
    assert replace(worker, channels={"ping": ping}).round() == 4
    assert [got.body for got in far.got] == [b'{"called":1}']
    assert _counts(store) == {"sent": 4}


def test_a_message_of_a_channel_that_is_gone_is_done(store: SqlStore, worker: OutboxWorker) -> None:
    """One that an older program left is not tried for ever."""
    with store.write() as tx:
        tx.outbox.add("pigeon", "", "{}")
    assert worker.round() == 1
    assert _counts(store) == {"sent": 1}


def test_each_message_is_under_way_beside_the_others(
    store: SqlStore, worker: OutboxWorker, far: Receiver
) -> None:
    """One target that hangs keeps nobody waiting, and each that ends makes room for the next."""
    far.behaviour = hang
    works: list[Callable[[], None]] = []
    rooms: list[int] = []
    beside = replace(worker, run=works.append, on_finished=lambda: rooms.append(1))
    _put(store, *["{}"] * 7)
    assert (beside.round(), beside.round()) == (5, 0)
    assert len(beside.in_delivery) == 5
    far.behaviour = answer(200)
    works[0]()
    assert (len(rooms), len(beside.in_delivery)) == (1, 4)
    assert beside.round() == 1


def test_only_so_many_are_under_way_at_once(
    store: SqlStore, worker: OutboxWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is due, a process keeps its hands free for the people."""
    monkeypatch.setattr(delivering, "MAX_CONCURRENT", 2)
    beside = replace(worker, run=lambda _: None)
    _put(store, "{}", "{}", "{}")
    assert [beside.round(), beside.round()] == [2, 0]
