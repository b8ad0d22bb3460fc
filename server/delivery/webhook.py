"""The operator's webhook: signed events without contents, with an ID to detect duplicates.

Never: unsigned events. If the key cannot be read, the delivery fails.
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
        body = message.body.encode()
        headers = signed_headers(self.key_file, str(message.id), body)
        egress.post(self.url, body, {**headers, "Content-Type": "application/json"})

    def on_delivered(self, tx: Unit, message: OutboxMessage) -> None:
        """Do nothing."""

    def on_abandoned(self, tx: Unit, message: OutboxMessage, reason: str) -> None:
        """Do nothing; `sayso doctor` reports undelivered messages."""


def signed_headers(key_file: Path, event_id: str, body: bytes) -> dict[str, str]:
    """Return the headers with an event's ID and signature. Raises `egress.Undeliverable`."""
    signed = f"{event_id}.".encode() + body
    return {
        "Sayso-Event-Id": event_id,
        "Sayso-Signature": f"sha256={hmac.digest(_key(key_file), signed, 'sha256').hex()}",
    }


def _key(file: Path) -> bytes:
    """Return the contents of the key file; for text, without surrounding whitespace."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        reason = f"the key file {file} cannot be read: {error.strerror}"
        raise egress.Undeliverable(reason, retry=True) from error
    text = raw.strip()
    key = text if text.isascii() and text.decode().isprintable() else raw
    if not key:
        raise egress.Undeliverable(f"the key file {file} is empty", retry=True)
    return key
