"""The operator's webhook: signed events without contents, with an id to detect repeats.

Never: sending unsigned. If the key cannot be read, the delivery fails.
"""

import hmac
from dataclasses import dataclass
from pathlib import Path

from server.delivery import egress
from server.model.notifications import OutboxMessage
from server.model.store import Unit


@dataclass(frozen=True, slots=True)
class Webhook:
    """Delivers to one URL. The key is read for each delivery, so it can change at any time."""

    url: str
    key_file: Path

    def deliver(self, message: OutboxMessage) -> None:
        """POST the event. Raises `egress.Undeliverable`."""
        event_id, body = str(message.id), message.body.encode()
        signed = f"{event_id}.".encode() + body
        headers = {
            "Content-Type": "application/json",
            "Sayso-Event-Id": event_id,
            "Sayso-Signature": f"sha256={hmac.digest(self._key(), signed, 'sha256').hex()}",
        }
        egress.post(self.url, body, headers)

    def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
        """Do nothing."""

    def on_given_up(self, tx: Unit, message: OutboxMessage, why: str) -> None:
        """Do nothing; `sayso doctor` reports undelivered messages."""

    def _key(self) -> bytes:
        """The contents of the key file; text without surrounding white space."""
        try:
            raw = self.key_file.read_bytes()
        except OSError as error:
            why = f"the key file {self.key_file} cannot be read: {error.strerror}"
            raise egress.Undeliverable(why, retry=True) from error
        text = raw.strip()
        key = text if text.isascii() and text.decode().isprintable() else raw
        if not key:
            raise egress.Undeliverable(f"the key file {self.key_file} is empty", retry=True)
        return key
