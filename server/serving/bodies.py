"""Request bodies: strict decoding (RFC 9112 6, 7.1), with a time limit and memory accounting.

After an error, the connection must be closed, because the rest could be mistaken for a request.
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
_MAX_DISCARDED = 8 * 1024 * 1024
_MAX_PART = 4_096
_MAX_LINE = 256
_MAX_TRAILERS = 4_096
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e]*)?\r\n")


class TooSlow(OSError):
    """The client did not send the request in time."""

    def __init__(self) -> None:
        super().__init__("the client is too slow")


class Connection(Protocol):
    """The connection over which a body arrives."""

    rfile: Any
    socket: Any

    def received(self, count: int) -> None:
        """Count received bytes. Raises ValueError if there are too many."""


class Body:
    """A request body, which must arrive within `seconds`, even if no code reads it."""

    def __init__(self, connection: Connection, head: Head, seconds: float) -> None:
        self.broken = False
        self._connection = connection
        self._chunked = head.chunked
        self._left = head.content_length or 0
        """The remaining bytes of the body or the current chunk."""
        self._ended = not head.chunked and not self._left
        self._first_chunk = True
        self._seconds = seconds
        self._expected = head.get("expect").lower() == "100-continue"

    def read_all(self, max_bytes: int) -> bytes:
        """Read the body, before the request is handled.

        Stops after more than `max_bytes`. Raises OSError if the body is malformed, short or late.
        """
        if not self._chunked and self._left > max_bytes:
            return b""
        parts: list[bytes] = []
        while not self._ended and sum(map(len, parts)) <= max_bytes:
            parts.append(self._in_time(self._read_part))
        return b"".join(parts)

    def _discard(self) -> None:
        """Read the rest of the body; gevent calls this after each response."""
        self._expected = False
        discarded = 0
        while not self._ended and not self.broken and discarded < _MAX_DISCARDED:
            discarded += len(self._in_time(lambda: self._read_part(count=False)))
        self.broken = self.broken or not self._ended

    def _in_time(self, receive: Callable[[], bytes]) -> bytes:
        if self.broken:
            raise TooSlow
        started = time.monotonic()
        try:
            with gevent.Timeout(self._seconds, TooSlow):
                return receive()
        except OSError:
            self.broken = True
            raise
        except ValueError as error:
            self.broken = True
            raise OSError(str(error)) from error
        finally:
            self._seconds = max(0.0, self._seconds - (time.monotonic() - started))
            self.broken = self.broken or (not self._ended and not self._seconds)

    def _read_part(self, *, count: bool = True) -> bytes:
        if self._expected:
            self._connection.socket.sendall(_CONTINUE)
            self._expected = False
        if self._chunked and not self._left and not self._next_chunk():
            return b""
        data: bytes = self._connection.rfile.read1(min(_MAX_PART, self._left))
        if not data:
            raise OSError("the body ends early")
        if count:
            self._connection.received(len(data))
        self._left -= len(data)
        self._ended = not self._chunked and not self._left
        return data

    def _next_chunk(self) -> bool:
        """Read the size of the next chunk; return False after the last one."""
        if not self._first_chunk and self._read_line(2) != b"\r\n":
            raise BadHead("a chunk does not have its stated length")
        self._first_chunk = False
        match = _CHUNK.fullmatch(self._read_line(_MAX_LINE))
        if match is None:
            raise BadHead("a chunk has an invalid size")
        self._left = int(match[1], 16)
        if not self._left:
            self._skip_trailers()
        return bool(self._left)

    def _skip_trailers(self) -> None:
        """Read and ignore the trailers."""
        size = 0
        while (line := self._read_line(_MAX_TRAILERS)) != b"\r\n":
            size += len(line)
            if size > _MAX_TRAILERS:
                raise BadHead("the trailers are too large")
            heads.field(line)
        self._ended = True

    def _read_line(self, max_bytes: int) -> bytes:
        line: bytes = self._connection.rfile.readline(max_bytes)
        return line


class Collected(io.BytesIO):
    """`wsgi.input`: a received body, and the connection for WebSockets."""

    def __init__(self, body: bytes, connection: Any) -> None:  # noqa: ANN401  # gevent has no types
        super().__init__(body)
        self.raw = _RawSocket(_NoDuplicate(connection))


@dataclass(frozen=True, slots=True)
class _RawSocket:
    _sock: "_NoDuplicate"
    """The attribute in which the WebSocket library looks for the connection."""


class _NoDuplicate:
    """A connection that cannot be duplicated, because that would need another file descriptor."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  # gevent has no types
        self._connection = connection

    def dup(self) -> None:
        """Refuse, so that the library uses the connection itself."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any attribute of a socket
        return getattr(self._connection, name)
