"""The outbox worker: leases messages, delivers them, retries, and reports dead messages.

Delivery is at least once: if a worker dies, its lease expires, and another worker delivers the
message again. Receivers must detect duplicates. Messages are delivered concurrently, but only a few
to one target at the same time, so that a slow receiver delays only itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from server import telemetry
from server.delivery.egress import Undeliverable
from server.model.notifications import WEBHOOK, OutboxMessage
from server.model.ports import Secrets
from server.model.store import Busy, Store, Unit

LEASE_SECONDS: Final = 60
MAX_ATTEMPTS: Final = 12
FIRST_PAUSE_MS: Final = 1_000
MAX_PAUSE_MS: Final = 60 * 60 * 1000
MAX_CONCURRENT: Final = 128
"""The number of messages that one process delivers at the same time."""
_BATCH_SIZE: Final = 16


class Channel(Protocol):
    """One kind of delivery."""

    def deliver(self, message: OutboxMessage) -> None:
        """Deliver a message. Raises `Undeliverable`."""

    def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
        """Called in the unit of work that marks the message as sent."""

    def on_abandoned(self, tx: Unit, message: OutboxMessage, reason: str) -> None:
        """Called in the unit of work that marks the message as dead."""


def pause_ms(attempts: int) -> int:
    """Return the pause after this many attempts, which doubles from one second to one hour."""
    return min(FIRST_PAUSE_MS << max(0, attempts - 1), MAX_PAUSE_MS)


def run_inline(work: Callable[[], None]) -> None:
    """Call the function directly."""
    work()


def do_nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class OutboxWorker:
    """Delivers due messages."""

    store: Store
    secrets: Secrets
    channels: Mapping[str, Channel]
    run: Callable[[Callable[[], None]], None] = run_inline
    """Starts the delivery of one message; the server uses a thread for each."""
    on_finished: Callable[[], None] = do_nothing
    """Called after each delivery, so that the next one can start."""
    in_delivery: set[int] = field(default_factory=set)

    def round(self) -> int:
        """Start delivering one batch; return the number of messages.

        If no webhook is configured, its messages are discarded in the same unit of work.
        """
        with self.store.read() as view:
            if not view.outbox.due():
                return 0
        limit = min(_BATCH_SIZE, MAX_CONCURRENT - len(self.in_delivery))
        holder = self.secrets.salt()
        with self.store.write() as tx:
            discarded = 0 if WEBHOOK in self.channels else tx.outbox.discard(WEBHOOK)
            messages = tx.outbox.lease(holder, limit, LEASE_SECONDS) if limit > 0 else []
        self.in_delivery.update(message.id for message in messages)
        for message in messages:
            self.run(partial(self._handle, message, holder))
        return discarded + len(messages)

    def _handle(self, message: OutboxMessage, holder: str) -> None:
        try:
            failure = self._deliver(message)
            with self.store.write() as tx:
                _record(tx, self.channels.get(message.channel), message, holder, failure)
        except Busy as busy:
            telemetry.log().warning("outbox.waits", message=message.id, reason=str(busy))
        finally:
            self.in_delivery.discard(message.id)
            self.on_finished()

    def _deliver(self, message: OutboxMessage) -> Undeliverable | None:
        """Deliver a message; return the error if it fails."""
        try:
            if (channel := self.channels.get(message.channel)) is not None:
                channel.deliver(message)
        except Undeliverable as failure:
            telemetry.log().warning("outbox.undelivered", message=message.id, error=str(failure))
            return failure
        except Exception as fault:  # noqa: BLE001  # a bad message must not block others
            telemetry.log().exception("outbox.failed", message=message.id)
            return Undeliverable(f"internal error: {type(fault).__name__}", retry=True)
        return None


def _record(
    tx: Unit,
    channel: Channel | None,
    message: OutboxMessage,
    holder: str,
    failure: Undeliverable | None,
) -> None:
    if failure is None:
        if tx.outbox.mark_sent(message.id, holder) and channel is not None:
            channel.on_delivered(tx, message)
        return
    retry = failure.retry and message.attempts < MAX_ATTEMPTS
    not_before = tx.now + max(failure.after_ms, pause_ms(message.attempts)) if retry else None
    recorded = tx.outbox.mark_failed(message.id, holder, str(failure), not_before)
    if recorded and not retry and channel is not None:
        channel.on_abandoned(tx, message, str(failure))
