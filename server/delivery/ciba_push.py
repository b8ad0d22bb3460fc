"""CIBA push: sends an agent its tokens or an error (CIBA 10.3.1, 12)."""

from dataclasses import dataclass

from server.delivery import egress
from server.delivery.egress import Reach
from server.model.notifications import OutboxMessage
from server.model.store import Unit
from server.services.ciba.callbacks import Callbacks


@dataclass(frozen=True, slots=True)
class CibaPush:
    """Calls the agent's notification endpoint. The response body is ignored."""

    callbacks: Callbacks
    reach: Reach

    def deliver(self, message: OutboxMessage) -> None:
        """POST the answer, which is the same in every retry. Raises `egress.Undeliverable`."""
        if (call := self.callbacks.push(message.body)) is not None:
            egress.call_back(call, self.reach)

    def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
        """Clean up after the delivery."""
        self.callbacks.arrived(tx, message.body)

    def on_given_up(self, tx: Unit, message: OutboxMessage, reason: str) -> None:
        """Record the failure. The approval is used up, so no more tokens are issued for it."""
        self.callbacks.lost(tx, message.body, reason)
