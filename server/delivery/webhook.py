"""The operator's own hook: events without contents, each signed and with an id to tell repeats.

Never: a delivery without a signature. A key that cannot be read is a fault that shows.
"""

import hmac
from dataclasses import dataclass
from pathlib import Path

from server.delivery import egress
from server.model.notifications import OutboxMessage
from server.model.store import Unit


@dataclass(frozen=True, slots=True)
class Webhook:
    """Delivers to one URL. The key is read each time, so it can be changed while we run."""

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

    def arrived(self, tx: Unit, message: OutboxMessage) -> None:
        """Nothing was kept for it."""

    def lost(self, tx: Unit, message: OutboxMessage, why: str) -> None:
        """It lies among the dead, where `doctor` looks."""

    def _key(self) -> bytes:
        """What the file holds: bytes as they are, text without the white space around it."""
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
