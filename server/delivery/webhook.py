"""The operator's own hook: events without contents, each with an HMAC and an id to tell repeats."""

import hmac
from dataclasses import dataclass
from pathlib import Path

from server.delivery import egress
from server.services.records import OutboxMessage


@dataclass(frozen=True, slots=True)
class Webhook:
    """Delivers to one URL."""

    url: str
    key_file: Path

    def deliver(self, message: OutboxMessage) -> None:
        """POST the event. Raises `egress.Undeliverable`."""
        body = message.body.encode()
        headers = {"Content-Type": "application/json", "Sayso-Event-Id": str(message.id)}
        if self.key_file.exists():
            digest = hmac.digest(self.key_file.read_bytes().strip(), body, "sha256")
            headers["Sayso-Signature"] = f"sha256={digest.hex()}"
        egress.post(self.url, body, headers)
