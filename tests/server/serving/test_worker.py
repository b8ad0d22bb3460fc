"""Slow or idle clients are disconnected. Clients that wait for a response are not."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event
from gevent.pool import Pool

from server.serving import worker

_READING, _IDLE = 1.0, 5.0
_SLACK = 20  # a busy machine is slow, not broken
_HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
_REQUEST = _HEAD + b"Content-Length: 2\r\n\r\nok"


class Log:
    """The log that gunicorn would pass."""

    def write(self, _line: str) -> None:
        """Discard the message."""

    def access(self, *_: object) -> None:
        """Discard the message."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Return the body, after a pause if the path is `/held`."""
    try:
        body = environ["wsgi.input"].read()
    except OSError:
        start_response("400 Bad Request", [("Content-Length", "0")])
        return []
    if environ["PATH_INFO"] == "/held":
        gevent.sleep(2 * _READING)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server with short timeouts, in this thread."""
    monkeypatch.setattr(worker, "_READING_SECONDS", _READING)
    monkeypatch.setattr(worker, "_IDLE_SECONDS", _IDLE)
    monkeypatch.setattr(worker, "_SERVERS", [])
    server = worker._Server(
        ("127.0.0.1", 0), application, handler_class=worker._Handler, log=Log(), error_log=Log()
    )
    server.start()
    yield server.server_port
    server.stop(timeout=1)


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    """A connection that was just opened."""
    with socket.create_connection(("127.0.0.1", port)) as new_connection:
        new_connection.settimeout(60)
        yield new_connection


def _rest(connection: socket.socket) -> tuple[bytes, float]:
    """The bytes that arrive until the server closes the connection, and the time that it takes."""
    started = time.monotonic()
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received, time.monotonic() - started


def _rest_or_reset(connection: socket.socket) -> tuple[bytes, float]:
    started = time.monotonic()
    try:
        return _rest(connection)
    except ConnectionError:  # the client was still sending when the server closed
        return b"", time.monotonic() - started


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"POST /ec", b""),
        (_HEAD, b"HTTP/1.1 400 "),
        (_HEAD + b"X-Half: ", b"HTTP/1.1 400 "),
        (_HEAD + b"Content-Length: 9\r\n\r\nhalf", b"HTTP/1.1 400 "),
        (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf", b"HTTP/1.1 400 "),
        (_HEAD + b"Upgrade: websocket\r\nContent-Length: 9\r\n\r\nhalf", b"HTTP/1.1 400 "),
    ],
    ids=["nothing", "line", "head", "header", "body", "chunk", "upgrade"],
)
def test_a_client_that_stops_within_a_request_is_disconnected(
    connection: socket.socket, sent: bytes, answer: bytes
) -> None:
    """A silent connection would use a slot that others need."""
    connection.sendall(sent)
    received, seconds = _rest(connection)

    assert received.startswith(answer)
    assert bool(received) is bool(answer)
    assert _READING / 4 < seconds < _READING + _SLACK


@pytest.mark.parametrize(
    ("start", "byte"),
    [(b"", b"P"), (_HEAD, b"X"), (_HEAD + b"Content-Length: 90\r\n\r\n", b"a")],
    ids=["line", "headers", "body"],
)
def test_single_bytes_do_not_extend_the_timeout(
    connection: socket.socket, start: bytes, byte: bytes
) -> None:
    """The timeout applies to each part of a request as a whole."""
    connection.sendall(start)

    def drip() -> None:
        while True:
            connection.sendall(byte)
            gevent.sleep(_READING / 8)

    dripper = gevent.spawn(drip)
    try:
        _, seconds = _rest_or_reset(connection)
    finally:
        dripper.kill()
    assert seconds < _READING + _SLACK


def test_a_used_connection_may_stay_idle_longer(
    connection: socket.socket,
) -> None:
    """A client that returns soon does not have to reconnect. The idle time is also limited."""
    connection.sendall(_REQUEST)
    assert connection.recv(65_536).endswith(b"ok")
    gevent.sleep(1.5 * _READING)
    connection.sendall(_REQUEST)
    assert connection.recv(65_536).endswith(b"ok")
    received, seconds = _rest(connection)

    assert received == b""
    assert _IDLE / 2 < seconds < _IDLE + _SLACK


def _use(connection: socket.socket) -> None:
    connection.sendall(_REQUEST)
    received = b""
    while not received.endswith(b"ok"):
        received += connection.recv(65_536)


def test_a_new_connection_replaces_the_longest_idle_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The idle connection is closed when all slots are in use. Other connections stay."""
    monkeypatch.setattr(worker, "_SERVERS", [])
    server = worker._Server(
        *(("127.0.0.1", 0), application),
        spawn=Pool(4),
        handler_class=worker._Handler,
        log=Log(),
        error_log=Log(),
    )
    server.start()
    with ExitStack() as stack:
        stack.callback(server.stop, timeout=1)
        connections = []
        for _ in range(4):
            connection = socket.create_connection(("127.0.0.1", server.server_port))
            connections.append(stack.enter_context(connection))
            _use(connection)
        assert connections[0].recv(65_536) == b""
        _use(connections[1])


def test_a_client_that_waits_for_a_response_is_not_disconnected(connection: socket.socket) -> None:
    """A long poll may take longer than the timeouts for receiving a request."""
    connection.sendall(_REQUEST.replace(b"/echo", b"/held"))
    assert connection.recv(65_536).endswith(b"ok")


def test_a_body_sent_in_pieces_is_read_completely(connection: socket.socket) -> None:
    """Pauses between the parts are allowed within the timeout."""
    connection.sendall(_HEAD + b"Content-Length: 4\r\n\r\nab")
    gevent.sleep(_READING / 4)
    connection.sendall(b"cd")
    assert connection.recv(65_536).endswith(b"abcd")


def test_a_client_that_disconnects_before_the_response_causes_no_error(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the client is gone, gevent's status is a string instead of bytes."""
    failures: list[object] = []
    monkeypatch.setattr(gevent.get_hub(), "handle_error", lambda *error: failures.append(error))
    failed = Event()

    def fail(_: socket.socket, _data: bytes) -> None:
        failed.set()
        raise ConnectionResetError(errno.ECONNRESET, "gone")

    connection.sendall(_HEAD.replace(b"/echo", b"/token") + b"Authorization: Basic YTpi\r\n\r\n")
    monkeypatch.setattr(socket.socket, "sendall", fail)
    assert failed.wait(5)
    assert _rest(connection)[0] == b""
    assert failures == []
