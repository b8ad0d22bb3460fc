"""Turns of clients: how many requests of a client run at once, so that none slows down the others.

A single client may use everything. While others send requests too, one request of each client runs
at a time. The rest wait in the client's queue, and the next one starts after everything else that
was ready had its turn. Held polls do not count.

Owns: which client a request claims to come from, read cheaply and used only to choose a queue.
Never: whether that is true.
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
"""Running requests of a client while no other client has sent any for a while."""
BESIDE_OTHERS: Final = 1
MOST_WAITING: Final = 256
"""Waiting requests of one client; the next one gets 503."""
MOST_WAITING_BYTES: Final = 16 * 1024 * 1024
"""Of all clients together."""
_WHILE_SECONDS: Final = 2.0
_LONGEST_YIELD_SECONDS: Final = 0.05
_MOST_REMEMBERED: Final = 10_000
_MOST_NAME: Final = 256
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
"""Where clients authenticate."""


class QueueFull(Exception):
    """Too many requests of this client are waiting."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a request says it is from."""

    client: str
    credential: bytes
    """A hash of what it proves that with."""
    peer: str = ""
    """The address that it comes from."""


def claim(environ: Mapping[str, Any], body: bytes) -> Claim | None:
    """The claim of a request to an endpoint for clients; None for any other request."""
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
    return Claim(client[:_MOST_NAME], proof, peer)


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
class _Client:
    in_hand: int = 0
    waiting: deque[Event] = field(default_factory=deque)


_Key = tuple[str, bytes]


@dataclass(slots=True)
class Turns:
    """The queues of one process."""

    clients: dict[_Key, _Client] = field(default_factory=dict)
    waiting_bytes: int = 0
    _proven: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _turns: dict[gevent.Greenlet, _Key] = field(default_factory=dict)
    _ending: list[_Key] = field(default_factory=list)
    _ended: dict[_Key, float] = field(default_factory=dict)
    _latest: _Key | None = None
    _changed: float = float("-inf")

    @contextmanager
    def turn(self, claimed: Claim | None, size: int) -> Iterator[None]:
        """Wait for this client's turn and hold it. Raises `QueueFull`."""
        if claimed is None:
            yield
            return
        key = self._key(claimed)
        self._note(key)
        self._wait(key, size)
        self._turns[gevent.getcurrent()] = key
        try:
            yield
        finally:
            self.let_go()

    def let_go(self) -> None:
        """End the turn of the request at hand, if it has one: it waits for something now."""
        key = self._turns.pop(gevent.getcurrent(), None)
        if key is None:
            return
        if self._most == ALONE or not self._asks_again(key):
            self._leave(key)
            return
        self._ending.append(key)
        if len(self._ending) == 1:
            gevent.spawn(self._leave_when_idle)

    def proved(self, claimed: Claim) -> None:
        """A request with this credential was successful.

        From here on it has a separate queue, which knowing the client's name is not enough to join.
        """
        before = self._key(claimed)
        if claimed.credential:
            self._proven[claimed.credential] = None
            self._proven.move_to_end(claimed.credential)
            if len(self._proven) > _MOST_REMEMBERED:
                self._proven.popitem(last=False)
        if self._latest == before:
            self._latest = self._key(claimed)

    def _key(self, claimed: Claim) -> _Key:
        """A credential that was accepted has its own queue; until then each address has one.

        Every assertion is new, so only the address separates an agent with a key from others who
        know its name.
        """
        proven = claimed.credential in self._proven
        return claimed.client, claimed.credential if proven else claimed.peer.encode()

    def _note(self, key: _Key) -> None:
        if self._latest not in {None, key}:
            self._changed = time.monotonic()
        self._latest = key

    @property
    def _most(self) -> int:
        alone = time.monotonic() - self._changed > _WHILE_SECONDS
        return ALONE if alone else BESIDE_OTHERS

    def _wait(self, key: _Key, size: int) -> None:
        client = self.clients.setdefault(key, _Client())
        if client.in_hand < self._most and not client.waiting:
            client.in_hand += 1
            return
        if len(client.waiting) >= MOST_WAITING or self.waiting_bytes > MOST_WAITING_BYTES:
            raise QueueFull
        mine = Event()
        client.waiting.append(mine)
        self.waiting_bytes += size
        mine.wait()
        self.waiting_bytes -= size

    def _asks_again(self, key: _Key) -> bool:
        """Reports whether this client's turn before this one ended a moment ago."""
        now = time.monotonic()
        again = now - self._ended.get(key, 0.0) < _LONGEST_YIELD_SECONDS
        if len(self._ended) > _MOST_REMEMBERED:
            self._ended.clear()
        self._ended[key] = now
        return again

    def _leave_when_idle(self) -> None:
        """End turns once the others had theirs: one client's quick requests would go first."""
        with gevent.Timeout(_LONGEST_YIELD_SECONDS, False):  # noqa: FBT003  # gevent's way to say: no error
            gevent.idle()
        ending, self._ending = self._ending, []
        for key in ending:
            self._leave(key)

    def _leave(self, key: _Key) -> None:
        """Hand the turn on to this client's next requests."""
        client = self.clients[key]
        client.in_hand -= 1
        while client.waiting and client.in_hand < self._most:
            client.in_hand += 1
            client.waiting.popleft().set()
        if not client.in_hand and not client.waiting:
            del self.clients[key]
