"""Slow, silent or idle clients lose their connection; clients that wait for us keep theirs."""

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
_WHOLE = _HEAD + b"Content-Length: 2\r\n\r\nok"


class Log:
    """The log that gunicorn would pass."""

    def write(self, _line: str) -> None:
        """Discards it."""

    def access(self, *_: object) -> None:
        """Discards it."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Returns the body, after the wait that the path asks for."""
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
    """A server with short timeouts, in this thread."""
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
    with socket.create_connection(("127.0.0.1", port)) as opened:
        opened.settimeout(60)
        yield opened


def _rest(connection: socket.socket) -> tuple[bytes, float]:
    """What arrives until the server closes, and how long that took."""
    began = time.monotonic()
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received, time.monotonic() - began


def _until_gone(connection: socket.socket) -> tuple[bytes, float]:
    began = time.monotonic()
    try:
        return _rest(connection)
    except ConnectionError:  # it was still dripping when the server closed
        return b"", time.monotonic() - began


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
def test_a_client_that_stops_in_the_middle_is_disconnected(
    connection: socket.socket, sent: bytes, answer: bytes
) -> None:
    """A silent connection takes a slot from others."""
    connection.sendall(sent)
    received, took = _rest(connection)

    assert received.startswith(answer)
    assert bool(received) is bool(answer)
    assert _READING / 4 < took < _READING + _SLACK


@pytest.mark.parametrize(
    ("begun", "dripped"),
    [(b"", b"P"), (_HEAD, b"X"), (_HEAD + b"Content-Length: 90\r\n\r\n", b"a")],
    ids=["line", "headers", "body"],
)
def test_a_byte_now_and_then_does_not_extend_the_timeout(
    connection: socket.socket, begun: bytes, dripped: bytes
) -> None:
    """The limit is for the whole of each part."""
    connection.sendall(begun)

    def drip() -> None:
        while True:
            connection.sendall(dripped)
            gevent.sleep(_READING / 8)

    dripping = gevent.spawn(drip)
    try:
        _, took = _until_gone(connection)
    finally:
        dripping.kill()
    assert took < _READING + _SLACK


def test_a_used_connection_may_stay_idle_longer(
    connection: socket.socket,
) -> None:
    """Its time is limited too; a client that returns soon need not reconnect."""
    connection.sendall(_WHOLE)
    assert connection.recv(65_536).endswith(b"ok")
    gevent.sleep(1.5 * _READING)
    connection.sendall(_WHOLE)
    assert connection.recv(65_536).endswith(b"ok")
    received, took = _rest(connection)

    assert received == b""
    assert _IDLE / 2 < took < _IDLE + _SLACK


def _use(connection: socket.socket) -> None:
    connection.sendall(_WHOLE)
    received = b""
    while not received.endswith(b"ok"):
        received += connection.recv(65_536)


def test_a_new_connection_replaces_the_longest_idle_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does so when all slots are taken; connections in use stay."""
    monkeypatch.setattr(worker, "_SERVERS", [])
    server = worker._Server(
        *(("127.0.0.1", 0), application),
        spawn=Pool(4),
        handler_class=worker._Handler,
        log=Log(),
        error_log=Log(),
    )
    server.start()
    with ExitStack() as opened:
        opened.callback(server.stop, timeout=1)
        lines = []
        for _ in range(4):
            connection = socket.create_connection(("127.0.0.1", server.server_port))
            lines.append(opened.enter_context(connection))
            _use(connection)
        assert lines[0].recv(65_536) == b""
        _use(lines[1])


def test_a_client_that_waits_for_our_answer_is_not_slow(connection: socket.socket) -> None:
    """A poll may be held for as long as it asked."""
    connection.sendall(_WHOLE.replace(b"/echo", b"/held"))
    assert connection.recv(65_536).endswith(b"ok")


def test_a_body_sent_in_pieces_is_read_completely(connection: socket.socket) -> None:
    """Slow is not too slow."""
    connection.sendall(_HEAD + b"Content-Length: 4\r\n\r\nab")
    gevent.sleep(_READING / 4)
    connection.sendall(b"cd")
    assert connection.recv(65_536).endswith(b"abcd")


def test_a_client_that_leaves_before_the_answer_breaks_nothing(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent is killed while its poll is held; gevent then has a text for the status."""
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
