"""The outbox's worker: takes messages under a lease, delivers them, tries again, gives up visibly.

At least once: a worker that dies keeps its lease until it runs out, and then another delivers the
message again. Receivers tell repeats apart by its id. What became of one lot is written in
one unit of work.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from server import telemetry
from server.delivery.egress import Undeliverable
from server.services.notices import WEBHOOK
from server.services.ports import Secrets, Store, Unit
from server.services.records import OutboxMessage

LEASE_SECONDS: Final = 60
MOST_ATTEMPTS: Final = 12
FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 60 * 60 * 1000
_AT_ONCE: Final = 5
"""So few that all of them can time out within the lease."""


class Channel(Protocol):
    """One way out."""

    def deliver(self, message: OutboxMessage) -> None:
        """Raises `Undeliverable`."""


def pause_ms(attempts: int) -> int:
    """How long to wait after so many tries: doubling from a second to an hour."""
    return min(FIRST_PAUSE_MS << max(0, attempts - 1), LONGEST_PAUSE_MS)


@dataclass(frozen=True, slots=True)
class OutboxWorker:
    """Delivers what is due."""

    store: Store
    secrets: Secrets
    webhook: Channel | None

    def round(self) -> int:
        """Deliver one lot; returns how many messages it took. Without a hook nothing leaves."""
        with self.store.read() as view:
            if not view.outbox.due():
                return 0
        if self.webhook is None:
            with self.store.write() as tx:
                return tx.outbox.settle(WEBHOOK)
        holder = self.secrets.salt()
        with self.store.write() as tx:
            messages = tx.outbox.lease(holder, _AT_ONCE, LEASE_SECONDS)
        outcomes = [(message, self._deliver(message)) for message in messages]
        with self.store.write() as tx:
            for message, failure in outcomes:
                _put_down(tx, message, holder, failure)
        return len(messages)

    def _deliver(self, message: OutboxMessage) -> Undeliverable | None:
        """Deliver it, or say why not."""
        try:
            if message.channel == WEBHOOK and self.webhook is not None:
                self.webhook.deliver(message)
        except Undeliverable as failure:
            telemetry.log().warning("outbox.undelivered", message=message.id, error=str(failure))
            return failure
        except Exception as fault:  # noqa: BLE001  # one bad message holds up no other
            telemetry.log().exception("outbox.failed", message=message.id)
            return Undeliverable(f"a fault of ours: {type(fault).__name__}", retry=True)
        return None


def _put_down(tx: Unit, message: OutboxMessage, holder: str, failure: Undeliverable | None) -> None:
    if failure is None:
        tx.outbox.sent(message.id, holder)
        return
    again = failure.retry and message.attempts < MOST_ATTEMPTS
    moment = tx.now + pause_ms(message.attempts) if again else None
    tx.outbox.failed(message.id, holder, str(failure), moment)
