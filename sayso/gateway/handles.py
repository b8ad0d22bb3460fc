"""Handles from the upstream server, sealed for the user and client that received them.

A session or state that belongs to someone else, or was changed, cannot be opened. The gateway
stores no handles, so they remain valid when it is restarted.

Owns: sealing and opening. Never: what a handle is for.
"""

import hashlib
import hmac
import json
from typing import Any

from sayso.caller import Caller
from sayso.keys import b64, json_of


class Handles:
    """Seals handles with a key derived from the gateway's own secret."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"sayso gateway handles\n" + secret.encode()).digest()

    def seal(self, purpose: str, caller: Caller, value: object) -> str:
        """Return a handle of visible ASCII characters."""
        body = b64(json.dumps(value).encode())
        return f"{body}.{self._mac(purpose, caller, body)}"

    def open(self, purpose: str, caller: Caller, handle: str) -> Any:  # noqa: ANN401  # JSON
        """Return the value that was sealed for this caller and purpose, or None."""
        body, _, mac = handle.partition(".")
        if not hmac.compare_digest(
            mac.encode("utf-8", "surrogatepass"), self._mac(purpose, caller, body).encode()
        ):
            return None
        return json_of(body)

    def _mac(self, purpose: str, caller: Caller, body: str) -> str:
        content = json.dumps([purpose, caller.user, caller.client, body]).encode()
        return b64(hmac.new(self._key, content, hashlib.sha256).digest())
