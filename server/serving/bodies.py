"""The body of a request: received in time, decoded strictly (RFC 9112 6, 7.1), counted.

After any fault the connection must not be used again: what follows could be taken for a request.
"""

import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import gevent

from server.serving import heads
from server.serving.heads import BadHead, Head

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_MOST_DISCARDED = 8 * 1024 * 1024
_MOST_PIECE = 4_096
_MOST_LINE = 256
_MOST_TRAILERS = 4_096
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e]*)?\r\n")


class TooSlow(OSError):
    """The client did not send in time; the connection is lost."""

    def __init__(self) -> None:
        super().__init__("the client is too slow")


class Connection(Protocol):
    """What a body is received from."""

    rfile: Any
    socket: Any

    def received(self, count: int) -> None:
        """Count what was received. Raises ValueError when it is too much."""


class Body:
    """All of it must arrive within `seconds`, whether or not the application wants it."""

    def __init__(self, connection: Connection, head: Head, seconds: float) -> None:
        self.broken = False
        self._connection = connection
        self._chunked = head.chunked
        self._left = head.content_length or 0
        """Of the body, or of the present chunk."""
        self._over = not head.chunked and not self._left
        self._first_chunk = True
        self._seconds = seconds
        self._expected = head.get("expect").lower() == "100-continue"

    def collected(self, most: int) -> bytes:
        """The body, before anything is done about the request.

        A body longer than `most` comes back one byte longer than `most`. Raises OSError if the body
        is malformed, short or late.
        """
        if not self._chunked and self._left > most:
            return b""
        pieces: list[bytes] = []
        while not self._over and sum(map(len, pieces)) <= most:
            pieces.append(self._in_time(self._some))
        return b"".join(pieces)

    def _discard(self) -> None:
        """Receive what was not collected, as gevent asks for after each answer."""
        self._expected = False
        seen = 0
        while not self._over and not self.broken and seen < _MOST_DISCARDED:
            seen += len(self._in_time(lambda: self._some(kept=False)))
        self.broken = self.broken or not self._over

    def _in_time(self, receive: Callable[[], bytes]) -> bytes:
        if self.broken:
            raise TooSlow
        began = time.monotonic()
        try:
            with gevent.Timeout(self._seconds, TooSlow):
                return receive()
        except (OSError, ValueError) as fault:
            self.broken = True
            raise fault if isinstance(fault, OSError) else OSError(str(fault)) from fault
        finally:
            self._seconds = max(0.0, self._seconds - (time.monotonic() - began))
            self.broken = self.broken or (not self._over and not self._seconds)

    def _some(self, *, kept: bool = True) -> bytes:
        if self._expected:
            self._connection.socket.sendall(_CONTINUE)
            self._expected = False
        if self._chunked and not self._left and not self._next_chunk():
            return b""
        data: bytes = self._connection.rfile.read1(min(_MOST_PIECE, self._left))
        if not data:
            raise OSError("the body ends early")
        if kept:
            self._connection.received(len(data))
        self._left -= len(data)
        self._over = not self._chunked and not self._left
        return data

    def _next_chunk(self) -> bool:
        """Read the size of a chunk, after the end of the one before; False for the last one."""
        if not self._first_chunk and self._line(2) != b"\r\n":
            raise BadHead("a chunk has another length than it says")
        self._first_chunk = False
        matched = _CHUNK.fullmatch(self._line(_MOST_LINE))
        if matched is None:
            raise BadHead("a chunk has no proper size")
        self._left = int(matched[1], 16)
        if not self._left:
            self._trailers()
        return bool(self._left)

    def _trailers(self) -> None:
        """Read and drop them; nothing here has a use for trailers."""
        seen = 0
        while (line := self._line(_MOST_TRAILERS)) != b"\r\n":
            seen += len(line)
            if seen > _MOST_TRAILERS:
                raise BadHead("the trailers are too large")
            heads.field(line)
        self._over = True

    def _line(self, most: int) -> bytes:
        line: bytes = self._connection.rfile.readline(most)
        return line


class Collected(io.BytesIO):
    """`wsgi.input`: a body that was received, and the way to the connection of a WebSocket."""

    def __init__(self, body: bytes, connection: Any) -> None:  # noqa: ANN401  # gevent has no types
        super().__init__(body)
        self.raw = _Line(_Undivided(connection))


@dataclass(frozen=True, slots=True)
class _Line:
    _sock: "_Undivided"
    """Where the WebSocket library looks for the connection."""


class _Undivided:
    """The connection itself. The library would hold a duplicate: a second descriptor each."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  # gevent has no types
        self._connection = connection

    def dup(self) -> None:
        """The library then takes the connection as it is."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any attribute of a socket
        return getattr(self._connection, name)
