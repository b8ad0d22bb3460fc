"""CIBA callbacks: pings and pushes.

A ping tells an agent that its request has an answer, which it then fetches (CIBA 10.2). A push
sends the tokens or the error (CIBA 10.3.1, 12).
"""

from collections.abc import Callable
from dataclasses import dataclass

from server.delivery import egress
from server.delivery.egress import EgressLimits
from server.model.notifications import OutboxMessage
from server.model.store import Unit
from server.services.ciba.callbacks import CallbackRequest, Callbacks


@dataclass(frozen=True, slots=True)
class CibaCallbacks:
    """Calls the agent's notification endpoint. The response body is ignored."""

    make: Callable[[str], CallbackRequest | None]
    """`callbacks.ping` or `callbacks.push`."""
    callbacks: Callbacks
    reach: EgressLimits

    def deliver(self, message: OutboxMessage) -> None:
        """POST the callback; every retry sends the same answer. Raises `egress.Undeliverable`."""
        if (call := self.make(message.body)) is not None:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {call.token}"}
            egress.post(call.url, call.body, headers, self.reach)

    def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
        """Clean up after the delivery."""
        self.callbacks.record_delivery(tx, message.body)

    def on_abandoned(self, tx: Unit, message: OutboxMessage, reason: str) -> None:
        """Record the failure. After a ping, the agent can poll; after a push, it must ask again."""
        self.callbacks.record_failure(tx, message.body, reason)
