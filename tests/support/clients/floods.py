"""Connections that send much before anybody has authenticated, and hold what they sent."""

import contextlib
import socket
from collections.abc import Iterator

_PATIENCE_SECONDS = 5.0
LARGE_HEAD = (
    b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n" + (b"X-A: " + b"a" * 60_000 + b"\r\n") * 95
)
"""95 fields of 60 kB, without an end."""
LARGE_BODY = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 131072\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + b"a" * 131_000
)
"""A body that lacks a few bytes."""
CHUNKED_BODY = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    + (b"10000\r\n" + b"a" * 65_536 + b"\r\n")
    * 30
)
"""Two megabytes in chunks, without an end."""


@contextlib.contextmanager
def flood(port: int, sent: bytes, connections: int) -> Iterator[None]:
    """Open this many connections; each has sent all of it, or as much as the server took."""
    with contextlib.ExitStack() as held:
        for _ in range(connections):
            line = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.settimeout(_PATIENCE_SECONDS)
            with contextlib.suppress(OSError):  # the server does not take all of it
                line.sendall(sent)
        yield
