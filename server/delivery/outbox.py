"""The outbox's worker: takes messages under a lease, delivers them, tries again, gives up visibly.

At least once: a worker that dies keeps its lease until it runs out, and then another delivers the
message again. Receivers tell repeats apart. Each message is on its way beside the others, and only
a few of one target at a time, so that a receiver that hangs delays nobody but itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from server import telemetry
from server.delivery.egress import Undeliverable
from server.model.notifications import OutboxMessage
from server.model.ports import Secrets
from server.model.store import Busy, Store, Unit
from server.services.notifications.notices import WEBHOOK

LEASE_SECONDS: Final = 60
MOST_ATTEMPTS: Final = 12
FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 60 * 60 * 1000
MOST_AT_ONCE: Final = 128
"""So many messages are on their way from one process at the same time."""
_LOT: Final = 16


class Channel(Protocol):
    """One way out."""

    def deliver(self, message: OutboxMessage) -> None:
        """Raises `Undeliverable`."""

    def arrived(self, tx: Unit, message: OutboxMessage) -> None:
        """It was delivered; in the unit of work that writes so."""

    def lost(self, tx: Unit, message: OutboxMessage, why: str) -> None:
        """It was given up; in the unit of work that writes so."""


def pause_ms(attempts: int) -> int:
    """How long to wait after so many tries: doubling from a second to an hour."""
    return min(FIRST_PAUSE_MS << max(0, attempts - 1), LONGEST_PAUSE_MS)


def run_inline(work: Callable[[], None]) -> None:
    """Do it now, before anything else."""
    work()


def nothing() -> None:
    """Nobody is waiting for room."""


@dataclass(frozen=True, slots=True)
class OutboxWorker:
    """Delivers what is due."""

    store: Store
    secrets: Secrets
    channels: Mapping[str, Channel]
    run: Callable[[Callable[[], None]], None] = run_inline
    """Begins the delivery of one message; the server does each in a thread of its own."""
    room: Callable[[], None] = nothing
    """Called when a message has left, so that the next one may."""
    under_way: set[int] = field(default_factory=set)

    def round(self) -> int:
        """Begin to deliver one lot; returns how many messages it took.

        Without a hook its messages are done, in the same unit of work: they come with everything
        that happens, and nothing else waits for them.
        """
        with self.store.read() as view:
            if not view.outbox.due():
                return 0
        limit = min(_LOT, MOST_AT_ONCE - len(self.under_way))
        holder = self.secrets.salt()
        with self.store.write() as tx:
            settled = 0 if WEBHOOK in self.channels else tx.outbox.settle(WEBHOOK)
            messages = tx.outbox.lease(holder, limit, LEASE_SECONDS) if limit > 0 else []
        self.under_way.update(message.id for message in messages)
        for message in messages:
            self.run(partial(self._handle, message, holder))
        return settled + len(messages)

    def _handle(self, message: OutboxMessage, holder: str) -> None:
        try:
            failure = self._deliver(message)
            with self.store.write() as tx:
                _put_down(tx, self.channels.get(message.channel), message, holder, failure)
        except Busy as busy:
            telemetry.log().warning("outbox.waits", message=message.id, reason=str(busy))
        finally:
            self.under_way.discard(message.id)
            self.room()

    def _deliver(self, message: OutboxMessage) -> Undeliverable | None:
        """Deliver it, or say why not."""
        try:
            if (channel := self.channels.get(message.channel)) is not None:
                channel.deliver(message)
        except Undeliverable as failure:
            telemetry.log().warning("outbox.undelivered", message=message.id, error=str(failure))
            return failure
        except Exception as fault:  # noqa: BLE001  # one bad message holds up no other
            telemetry.log().exception("outbox.failed", message=message.id)
            return Undeliverable(f"a fault of ours: {type(fault).__name__}", retry=True)
        return None


def _put_down(
    tx: Unit,
    channel: Channel | None,
    message: OutboxMessage,
    holder: str,
    failure: Undeliverable | None,
) -> None:
    if failure is None:
        if tx.outbox.sent(message.id, holder) and channel is not None:
            channel.arrived(tx, message)
        return
    again = failure.retry and message.attempts < MOST_ATTEMPTS
    moment = tx.now + max(failure.after_ms, pause_ms(message.attempts)) if again else None
    put = tx.outbox.failed(message.id, holder, str(failure), moment)
    if put and not again and channel is not None:
        channel.lost(tx, message, str(failure))
