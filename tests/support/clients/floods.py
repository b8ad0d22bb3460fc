"""Unauthenticated connections that send a lot of data and stay open."""

import contextlib
import socket
from collections.abc import Iterator

_TIMEOUT_SECONDS = 5.0
LARGE_HEAD = (
    b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n" + (b"X-A: " + b"a" * 60_000 + b"\r\n") * 95
)
"""95 header fields of 60 kB; the end of the headers is missing."""
LARGE_BODY = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 131072\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + b"a" * 131_000
)
"""A body whose last bytes are missing."""
CHUNKED_BODY = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    + (b"10000\r\n" + b"a" * 65_536 + b"\r\n")
    * 30
)
"""Two megabytes in chunks; the last chunk is missing."""


@contextlib.contextmanager
def flood(port: int, sent: bytes, connections: int) -> Iterator[None]:
    """Open this many connections; each sends these bytes, or as many as the server reads."""
    with contextlib.ExitStack() as connections_open:
        for _ in range(connections):
            line = connections_open.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.settimeout(_TIMEOUT_SECONDS)
            with contextlib.suppress(OSError):  # the server does not read all of it
                line.sendall(sent)
        yield
