"""The feed's last step: a real terminal app in a pseudo-terminal, and its screen.

Owns: measuring when a request's headline appears on the screen. The program's output is timestamped
when it is read; rendering is slow in Python, so it happens after the timestamp is taken and is not
measured.
"""

import json
import os
import random
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Self

import pexpect
import pyte

from tests.support.builders.installation import PAY, PAYMENT
from tests.support.clients.simultaneous import post
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import AgentKey, LiveServer

_COLUMNS, _LINES = 100, 30
_REQUESTS_PER_SCREEN = 8
"""How many new requests fit on the screen below the selected one."""
_PAUSE_SECONDS = 0.1
_TIMEOUT_SECONDS = 20
_SETTLE_SECONDS = 0.3
_LARGEST_READ = 65_536


@dataclass(frozen=True, slots=True)
class Seen:
    """The times at which a request was sent and drawn, in seconds of the machine's clock."""

    headline: str
    sent: float
    drawn: float


@dataclass(slots=True)
class Window:
    """`sayso-approver` at one user's terminal."""

    server: LiveServer
    person: Terminal
    key: AgentKey
    since_event_ms: list[float] = field(default_factory=list)
    """Times from the request's `created_at` until it was on the screen."""
    since_sent_ms: list[float] = field(default_factory=list)
    """Times from the agent's first byte until the request was on the screen."""
    _child: pexpect.spawn = field(init=False)
    _screen: pyte.Screen = field(init=False)
    _stream: pyte.ByteStream = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self._screen = pyte.Screen(_COLUMNS, _LINES)
        self._stream = pyte.ByteStream(self._screen)

    def __enter__(self) -> Self:
        """Open the app with one request that stays selected, so that nothing moves."""
        with self._ask() as connection:
            assert connection.recv(_LARGEST_READ).startswith(b"HTTP/1.1 200")
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "approver_tui"],
            env=self._environment(),
            dimensions=(_LINES, _COLUMNS),
        )
        self._wait_for_text("LIVE")
        self._wait_for_text(_headline(self._count))
        return self

    def __exit__(self, *_: object) -> None:
        self._child.send("q")
        self._child.expect(pexpect.EOF, timeout=_TIMEOUT_SECONDS)
        self._child.close()

    def measure(self, count: int) -> None:
        """Send `count` requests, and record when each was on the screen."""
        while len(self.since_event_ms) < count:
            seen = [self._show_request() for _ in range(_REQUESTS_PER_SCREEN)]
            self._note(seen)
            self._clear()

    def _show_request(self) -> Seen:
        self._read_for(random.random() * 2 * _PAUSE_SECONDS)  # noqa: S311  # a random pause, not a secret
        sent_at = time.time()
        with self._ask() as connection:
            drawn_at = self._wait_for_text(_headline(self._count))
            assert connection.recv(_LARGEST_READ).startswith(b"HTTP/1.1 200")
        return Seen(_headline(self._count), sent_at, drawn_at)

    def _note(self, seen: list[Seen]) -> None:
        created = {approval.headline: approval.created_at for approval in self.person.waiting()}
        self.since_event_ms += [row.drawn * 1000 - created[row.headline] for row in seen]
        self.since_sent_ms += [(row.drawn - row.sent) * 1000 for row in seen]

    def _clear(self) -> None:
        """Deny the measured requests from another client, and reset the list."""
        for approval in self.person.waiting()[1:]:
            self.person.deny(approval)
        self._read_for(_SETTLE_SECONDS)
        self._child.send("r")
        while "ARRIVED" in self._text():
            self._read_for(0.1)

    def _ask(self) -> socket.socket:
        self._count += 1
        form = {
            "scope": "openid payments:transfer",
            "resource": PAY,
            "authorization_details": json.dumps([_payment(self._count)]),
            "login_hint": self.person.user,
        }
        connection = socket.create_connection(("127.0.0.1", self.server.port), _TIMEOUT_SECONDS)
        connection.sendall(post("/bc-authorize", self.key, form))
        return connection

    def _wait_for_text(self, words: str) -> float:
        """Return the time of the read after which the screen shows these words.

        Output is rendered only when it contains them, together with what came before.
        """
        unread, deadline = b"", time.time() + _TIMEOUT_SECONDS
        while time.time() < deadline:
            piece, moment = self._read(0.05), time.time()
            unread += piece
            if not piece or words.encode() in unread:
                self._stream.feed(unread)
                unread = b""
            if not unread and words in self._text():
                return moment
        raise AssertionError(f"never saw {words!r} on:\n{self._text()}")

    def _read_for(self, seconds: float) -> None:
        deadline = time.time() + seconds
        while (seconds_left := deadline - time.time()) > 0:
            self._stream.feed(self._read(seconds_left))

    def _read(self, seconds: float) -> bytes:
        try:
            read: bytes = self._child.read_nonblocking(_LARGEST_READ, timeout=seconds)
        except pexpect.TIMEOUT:
            return b""
        return read

    def _text(self) -> str:
        return "\n".join(self._screen.display)

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")
        }
        return {
            **inherited,
            "TERM": "xterm-256color",
            "SAYSO_APPROVER_HOME": str(self.person.home),
            "SAYSO_DATA_DIR": str(self.person.home / "none"),
        }


def _payment(number: int) -> dict[str, object]:
    amount = {"minor": 1000 + number, "currency": "EUR"}
    return {"type": PAYMENT["type"], "amount": amount, "payee": "Bo"}


def _headline(number: int) -> str:
    return f"Pay EUR {(1000 + number) / 100:.2f} to Bo"
