"""Pushes: an agent is sent its tokens, or why there are none (CIBA 10.3.1, 12)."""

from dataclasses import dataclass

from server.delivery import egress
from server.delivery.egress import Reach
from server.model.notifications import OutboxMessage
from server.model.store import Unit
from server.services.ciba.callbacks import Callbacks


@dataclass(frozen=True, slots=True)
class CibaPush:
    """Calls the endpoint that the agent registered. What it answers is not looked at."""

    callbacks: Callbacks
    reach: Reach

    def deliver(self, message: OutboxMessage) -> None:
        """POST the answer; the same one however often. Raises `egress.Undeliverable`."""
        if (call := self.callbacks.push(message.body)) is not None:
            egress.call_back(call, self.reach)

    def arrived(self, tx: Unit, message: OutboxMessage) -> None:
        """Nothing more is needed."""
        self.callbacks.arrived(tx, message.body)

    def lost(self, tx: Unit, message: OutboxMessage, why: str) -> None:
        """No other tokens are ever made of this approval."""
        self.callbacks.lost(tx, message.body, why)
