"""Pings: Sayso calls the agent when a person has answered (CIBA Core 10.2).

1. A ping only triggers a poll. The decision itself comes from `/token`, over a connection that the
   agent opened.
2. The token of a ping is derived from the agent's credential, so a restarted program, and each of
   several processes, can verify pings.

Owns: the token, the check of a ping, and which request it wakes. Never: HTTP, or what an answer
means.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import Final

from sayso.keys import b64

_LABEL: Final = b"sayso ping"
_SCHEME: Final = "bearer"
_MAX_BYTES: Final = 4096
_NO_CONTENT: Final = 204
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401


class Wake:
    """Lets a request sleep until its ping. Any thread may end the sleep."""

    def __init__(self, auth_req_id: str) -> None:
        self.auth_req_id = auth_req_id
        self.next: Future[None] = Future()
        """Done when the next ping comes."""

    def end(self) -> None:
        """End the sleep."""
        current, self.next = self.next, Future()
        with suppress(InvalidStateError):  # another thread was first
            current.set_result(None)


class Pings:
    """The open requests of one agent that is registered with `--delivery ping`."""

    def __init__(self, seed: bytes) -> None:
        self.token = b64(hmac.digest(seed, _LABEL, hashlib.sha256))
        """The `client_notification_token` of each request."""
        self._open: list[Wake] = []

    @contextmanager
    def waiting(self, auth_req_id: str) -> Iterator[Wake]:
        """Register a request that is waiting for its ping."""
        wake = Wake(auth_req_id)
        self._open.append(wake)
        try:
            yield wake
        finally:
            self._open.remove(wake)

    def receive(self, authorization: str | None, body: bytes) -> int:
        """Check a ping and wake its request; return the status to respond with."""
        scheme, _, token = (authorization or "").partition(" ")
        is_our_token = hmac.compare_digest(token.strip().encode(), self.token.encode())
        if not is_our_token or scheme.lower() != _SCHEME:
            return _UNAUTHORIZED
        try:
            members = json.loads(body) if len(body) <= _MAX_BYTES else None
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict) or not isinstance(members.get("auth_req_id"), str):
            return _BAD_REQUEST
        for wake in tuple(self._open):
            if wake.auth_req_id == members["auth_req_id"]:
                wake.end()
        return _NO_CONTENT
