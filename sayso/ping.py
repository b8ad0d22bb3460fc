"""Pings: Sayso calls the agent when a person has answered (CIBA Core 10.2).

1. A ping is believed for nothing but that one poll may come now. What was decided comes from
   `/token`, over a connection that the agent opened.
2. The token that proves it is derived from the agent's credential, so pings also count for a
   program that was restarted, and in each of several processes.

Owns: the token, the check of a ping, and whom it wakes. Never: HTTP, or what an answer means.
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
_RECEIVED: Final = 204
_NO_PING: Final = 400
_STRANGER: Final = 401


class Wake:
    """What a waiting request sleeps on. Any thread may end its sleep."""

    def __init__(self, auth_req_id: str) -> None:
        self.auth_req_id = auth_req_id
        self.next: Future[None] = Future()
        """Done when the next ping comes."""

    def end(self) -> None:
        """End the sleep."""
        ended, self.next = self.next, Future()
        with suppress(InvalidStateError):  # another thread was first
            ended.set_result(None)


class Pings:
    """The open requests of one agent that is registered with `--delivery ping`."""

    def __init__(self, seed: bytes) -> None:
        self.token = b64(hmac.digest(seed, _LABEL, hashlib.sha256))
        """The `client_notification_token` of each request."""
        self._open: list[Wake] = []

    @contextmanager
    def waiting(self, auth_req_id: str) -> Iterator[Wake]:
        """A request that waits for its ping."""
        wake = Wake(auth_req_id)
        self._open.append(wake)
        try:
            yield wake
        finally:
            self._open.remove(wake)

    def receive(self, authorization: str | None, body: bytes) -> int:
        """Check a ping and wake whom it is for; return the status to answer with."""
        scheme, _, token = (authorization or "").partition(" ")
        same = hmac.compare_digest(token.strip().encode(), self.token.encode())
        if not same or scheme.lower() != _SCHEME:
            return _STRANGER
        try:
            members = json.loads(body) if len(body) <= _MAX_BYTES else None
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict) or not isinstance(members.get("auth_req_id"), str):
            return _NO_PING
        for wake in tuple(self._open):
            if wake.auth_req_id == members["auth_req_id"]:
                wake.end()
        return _RECEIVED
