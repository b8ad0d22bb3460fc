"""Request queues per client, so that no client slows down the others.

A single active client may use the whole process. When several clients are active, each runs one
request at a time; its other requests wait in the client's queue, and the clients take turns. Long
polls are not counted. The claimed client only selects a queue. Authentication happens later.
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

MAX_CONCURRENT_ALONE: Final = 16
"""The maximum number of concurrent requests per client if no other client sent any recently."""
MAX_CONCURRENT_SHARED: Final = 1
MAX_WAITING: Final = 256
"""The maximum number of waiting requests per client; further requests get status 503."""
MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
"""The maximum total size of all waiting requests."""
FREE_REFUSALS: Final = 10
"""Number of wrong credentials per client, address and minute that are not slowed down."""
REFUSED_SECONDS: Final = 1.0
"""How long each further request with an unknown credential waits before it is read."""
_REFUSALS_SECONDS: Final = 60.0
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
class ClaimedClient:
    """The client that a request claims to come from."""

    client: str
    credential: bytes
    """A hash of its credential."""
    peer: str = ""
    """The IP address."""


def claimed_client(environ: Mapping[str, Any], body: bytes) -> ClaimedClient | None:
    """Return the claimed client of a request to a client endpoint; None for other endpoints."""
    if environ.get("PATH_INFO") not in _PATHS:
        return None
    authorization, peer = str(environ.get("HTTP_AUTHORIZATION", "")), environ.get("REMOTE_ADDR", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        client = _decode(encoded.encode()).partition(b":")[0].decode("latin-1")
        return _claim(client, authorization, peer)
    form = _form(body)
    assertion = form.get("client_assertion", "")
    claimed = form.get("client_id") or _subject(assertion)
    return _claim(claimed, form.get("client_secret", ""), peer) if claimed else None


def _claim(client: str, credential: str, peer: str) -> ClaimedClient:
    text = f"{client}\n{credential}".encode(errors="backslashreplace")  # JSON can have surrogates
    credential_hash = hashlib.sha256(text).digest() if credential else b""
    return ClaimedClient(client[:_MAX_NAME], credential_hash, peer)


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("latin-1"), max_num_fields=200))
    except ValueError:
        return {}


def _decode(encoded: bytes) -> bytes:
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
    _refusals: OrderedDict[_Key, tuple[float, int]] = field(default_factory=OrderedDict)
    """When the current minute began for a client and address, and the wrong credentials since."""
    _slots: dict[gevent.Greenlet, _Key] = field(default_factory=dict)
    _pending_release: list[_Key] = field(default_factory=list)
    _last_release_at: dict[_Key, float] = field(default_factory=dict)
    _last_client: _Key | None = None
    _client_changed_at: float = float("-inf")

    @contextmanager
    def slot(self, claimed: ClaimedClient | None, size: int) -> Iterator[None]:
        """Wait for a slot for this client, and hold it during the block. Raises `QueueFull`."""
        if claimed is None:
            yield
            return
        key = self._key(claimed)
        self._track_client(key)
        self._wait_for_slot(key, size)
        self._slots[gevent.getcurrent()] = key
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Release the slot of the current request, if any. Long polls do so before they wait."""
        key = self._slots.pop(gevent.getcurrent(), None)
        if key is None:
            return
        if self._limit == MAX_CONCURRENT_ALONE or not self._ended_recently(key):
            self._free_slot(key)
            return
        self._pending_release.append(key)
        if len(self._pending_release) == 1:
            gevent.spawn(self._free_slots_when_idle)

    def mark_authenticated(self, claimed: ClaimedClient) -> None:
        """Give this credential its own queue, after a successful request.

        Requests that only claim the client's name get a different queue.
        """
        before = self._key(claimed)
        if claimed.credential:
            self._verified[claimed.credential] = None
            self._verified.move_to_end(claimed.credential)
            if len(self._verified) > _MAX_REMEMBERED:
                self._verified.popitem(last=False)
        if self._last_client == before:
            self._last_client = self._key(claimed)

    def mark_refused(self, claimed: ClaimedClient) -> None:
        """Count a wrong credential of this client from this address."""
        key, now = self._key(claimed), time.monotonic()
        began, count = self._refusals.pop(key, (now, 0))
        is_new_minute = now - began >= _REFUSALS_SECONDS
        self._refusals[key] = (now, 1) if is_new_minute else (began, count + 1)
        if len(self._refusals) > _MAX_REMEMBERED:
            self._refusals.popitem(last=False)

    def delay(self, claimed: ClaimedClient) -> float:
        """Return the seconds to wait before this request.

        Other people's guesses never cause a refusal, and a request with a previously verified
        credential does not wait.
        """
        return REFUSED_SECONDS if self._is_guessing(self._key(claimed)) else 0.0

    def _is_guessing(self, key: _Key) -> bool:
        began, count = self._refusals.get(key, (0.0, 0))
        return count >= FREE_REFUSALS and time.monotonic() - began < _REFUSALS_SECONDS

    def _key(self, claimed: ClaimedClient) -> _Key:
        """Return the request's queue: by credential if it was verified, otherwise by IP address.

        Assertions are single-use, so agents that use keys are queued by IP address.
        """
        verified = claimed.credential in self._verified
        return claimed.client, claimed.credential if verified else claimed.peer.encode()

    def _track_client(self, key: _Key) -> None:
        if self._last_client not in {None, key}:
            self._client_changed_at = time.monotonic()
        self._last_client = key

    def _limit_of(self, key: _Key) -> int:
        """Return how many requests in a queue may run. Guesses run one at a time."""
        return 1 if self._is_guessing(key) else self._limit

    @property
    def _limit(self) -> int:
        is_alone = time.monotonic() - self._client_changed_at > _RECENT_SECONDS
        return MAX_CONCURRENT_ALONE if is_alone else MAX_CONCURRENT_SHARED

    def _wait_for_slot(self, key: _Key, size: int) -> None:
        queue = self.queues.setdefault(key, _Queue())
        if queue.running < self._limit_of(key) and not queue.waiting:
            queue.running += 1
            return
        if len(queue.waiting) >= MAX_WAITING or self.waiting_bytes > MAX_WAITING_BYTES:
            raise QueueFull
        started = Event()
        queue.waiting.append(started)
        self.waiting_bytes += size
        started.wait()
        self.waiting_bytes -= size

    def _ended_recently(self, key: _Key) -> bool:
        """Record the end of a request; return whether the previous one also ended just now."""
        now = time.monotonic()
        repeated = now - self._last_release_at.get(key, 0.0) < _MAX_YIELD_SECONDS
        if len(self._last_release_at) > _MAX_REMEMBERED:
            self._last_release_at.clear()
        self._last_release_at[key] = now
        return repeated

    def _free_slots_when_idle(self) -> None:
        """Free slots after all ready requests, so that fast clients cannot starve others."""
        with gevent.Timeout(_MAX_YIELD_SECONDS, False):  # noqa: FBT003  # False: no exception
            gevent.idle()
        keys, self._pending_release = self._pending_release, []
        for key in keys:
            self._free_slot(key)

    def _free_slot(self, key: _Key) -> None:
        """Free a slot of a queue and start the next requests."""
        queue = self.queues[key]
        queue.running -= 1
        while queue.waiting and queue.running < self._limit_of(key):
            queue.running += 1
            queue.waiting.popleft().set()
        if not queue.running and not queue.waiting:
            del self.queues[key]
