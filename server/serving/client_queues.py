"""Request queues per client, so that no client slows down the others.

A single active client may use the whole process. If several clients send requests, only one request
of each runs at a time. The others wait in the client's queue, and the next one starts after all
other ready requests. Long polls do not count.

Owns: the client that a request claims to come from, which only selects a queue.
Never: authentication.
"""

import base64
import binascii
import hashlib
import json
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import gevent
from gevent.event import Event

ALONE: Final = 16
"""The concurrent requests of a client if no other client has sent any recently."""
WITH_OTHERS: Final = 1
MAX_WAITING: Final = 256
"""The waiting requests of one client; the next one gets 503."""
MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
"""Of all clients together."""
_RECENT_SECONDS: Final = 2.0
_MAX_YIELD_SECONDS: Final = 0.05
_MAX_REMEMBERED: Final = 10_000
_MAX_NAME: Final = 256
_PATHS: Final = frozenset(
    {
        "/token",
        "/bc-authorize",
        "/device_authorization",
        "/par",
        "/introspect",
        "/revoke",
        "/api/approvals/consume",
        "/api/approvals/outcome",
    }
)
"""The endpoints where clients authenticate."""


class QueueFull(Exception):
    """The client has too many waiting requests."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The client that a request claims to come from."""

    client: str
    credential: bytes
    """A hash of its credential."""
    peer: str = ""
    """The IP address."""


def claim(environ: Mapping[str, Any], body: bytes) -> Claim | None:
    """The claim of a request to a client endpoint; None for other endpoints."""
    if environ.get("PATH_INFO") not in _PATHS:
        return None
    authorization, peer = str(environ.get("HTTP_AUTHORIZATION", "")), environ.get("REMOTE_ADDR", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        client = _decoded(encoded.encode()).partition(b":")[0].decode("latin-1")
        return _claim(client, authorization, peer)
    form = _form(body)
    assertion = form.get("client_assertion", "")
    claimed = form.get("client_id") or _subject(assertion)
    return _claim(claimed, form.get("client_secret", ""), peer) if claimed else None


def _claim(client: str, credential: str, peer: str) -> Claim:
    text = f"{client}\n{credential}".encode(errors="backslashreplace")  # JSON can have surrogates
    proof = hashlib.sha256(text).digest() if credential else b""
    return Claim(client[:_MAX_NAME], proof, peer)


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("latin-1"), max_num_fields=200))
    except ValueError:
        return {}


def _decoded(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return b""


def _subject(assertion: str) -> str:
    payload = "".join(assertion.split(".")[1:2]).encode("latin-1", "replace")
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    return str(claims.get("sub", "")) if isinstance(claims, dict) else ""


@dataclass(slots=True)
class _Queue:
    running: int = 0
    waiting: deque[Event] = field(default_factory=deque)


_Key = tuple[str, bytes]


@dataclass(slots=True)
class ClientQueues:
    """The queues of one process."""

    queues: dict[_Key, _Queue] = field(default_factory=dict)
    waiting_bytes: int = 0
    _verified: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _slots: dict[gevent.Greenlet, _Key] = field(default_factory=dict)
    _ending: list[_Key] = field(default_factory=list)
    _ended: dict[_Key, float] = field(default_factory=dict)
    _latest: _Key | None = None
    _changed: float = float("-inf")

    @contextmanager
    def slot(self, claimed: Claim | None, size: int) -> Iterator[None]:
        """Wait for a slot of this client and hold it. Raises `QueueFull`."""
        if claimed is None:
            yield
            return
        key = self._key(claimed)
        self._note(key)
        self._wait(key, size)
        self._slots[gevent.getcurrent()] = key
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Release the slot of the current request, if it has one. Long polls call it early."""
        key = self._slots.pop(gevent.getcurrent(), None)
        if key is None:
            return
        if self._limit == ALONE or not self._is_repeated(key):
            self._free(key)
            return
        self._ending.append(key)
        if len(self._ending) == 1:
            gevent.spawn(self._free_when_idle)

    def authenticated(self, claimed: Claim) -> None:
        """Give this credential its own queue, after a successful request.

        Others who only know the client's name cannot use that queue.
        """
        before = self._key(claimed)
        if claimed.credential:
            self._verified[claimed.credential] = None
            self._verified.move_to_end(claimed.credential)
            if len(self._verified) > _MAX_REMEMBERED:
                self._verified.popitem(last=False)
        if self._latest == before:
            self._latest = self._key(claimed)

    def _key(self, claimed: Claim) -> _Key:
        """The queue of a request: by its credential if that was verified, else by its address.

        Each assertion is new, so agents with a key are always separated by address.
        """
        verified = claimed.credential in self._verified
        return claimed.client, claimed.credential if verified else claimed.peer.encode()

    def _note(self, key: _Key) -> None:
        if self._latest not in {None, key}:
            self._changed = time.monotonic()
        self._latest = key

    @property
    def _limit(self) -> int:
        alone = time.monotonic() - self._changed > _RECENT_SECONDS
        return ALONE if alone else WITH_OTHERS

    def _wait(self, key: _Key, size: int) -> None:
        queue = self.queues.setdefault(key, _Queue())
        if queue.running < self._limit and not queue.waiting:
            queue.running += 1
            return
        if len(queue.waiting) >= MAX_WAITING or self.waiting_bytes > MAX_WAITING_BYTES:
            raise QueueFull
        started = Event()
        queue.waiting.append(started)
        self.waiting_bytes += size
        started.wait()
        self.waiting_bytes -= size

    def _is_repeated(self, key: _Key) -> bool:
        """Reports whether the previous request of this queue ended just before."""
        now = time.monotonic()
        repeated = now - self._ended.get(key, 0.0) < _MAX_YIELD_SECONDS
        if len(self._ended) > _MAX_REMEMBERED:
            self._ended.clear()
        self._ended[key] = now
        return repeated

    def _free_when_idle(self) -> None:
        """Free slots after all ready requests have run, so that quick clients do not go first."""
        with gevent.Timeout(_MAX_YIELD_SECONDS, False):  # noqa: FBT003  # False: no exception
            gevent.idle()
        ending, self._ending = self._ending, []
        for key in ending:
            self._free(key)

    def _free(self, key: _Key) -> None:
        """Free a slot of a queue, and start its next requests."""
        queue = self.queues[key]
        queue.running -= 1
        while queue.waiting and queue.running < self._limit:
            queue.running += 1
            queue.waiting.popleft().set()
        if not queue.running and not queue.waiting:
            del self.queues[key]
