"""Clients that are slow, silent or idle keep no connection; those that wait for us keep theirs."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.pool import Pool

from server.serving import worker

_READING, _IDLE = 1.0, 5.0
_SLACK = 20  # a busy machine is slow, not broken
_HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
_WHOLE = _HEAD + b"Content-Length: 2\r\n\r\nok"


class Log:
    """What gunicorn would have given."""

    def write(self, _line: str) -> None:
        """Nothing."""

    def access(self, *_: object) -> None:
        """Nothing."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answers with the body, after as long a wait as the path says."""
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
    """A server with short patience, in this very thread."""
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
def line(port: int) -> Iterator[socket.socket]:
    """A connection that was just opened."""
    with socket.create_connection(("127.0.0.1", port)) as opened:
        opened.settimeout(60)
        yield opened


def _rest(line: socket.socket) -> tuple[bytes, float]:
    """What comes until the server closes, and how long that took."""
    began = time.monotonic()
    said = b""
    while piece := line.recv(65_536):
        said += piece
    return said, time.monotonic() - began


def _until_gone(line: socket.socket) -> tuple[bytes, float]:
    began = time.monotonic()
    try:
        return _rest(line)
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
def test_whoever_stops_in_the_middle_is_let_go(
    line: socket.socket, sent: bytes, answer: bytes
) -> None:
    """Silence takes a connection away from others."""
    line.sendall(sent)
    said, took = _rest(line)

    assert said.startswith(answer)
    assert bool(said) is bool(answer)
    assert _READING / 4 < took < _READING + _SLACK


@pytest.mark.parametrize(
    ("begun", "dripped"),
    [(b"", b"P"), (_HEAD, b"X"), (_HEAD + b"Content-Length: 90\r\n\r\n", b"a")],
    ids=["line", "headers", "body"],
)
def test_a_letter_now_and_then_buys_no_time(
    line: socket.socket, begun: bytes, dripped: bytes
) -> None:
    """The limit is for the whole of each part."""
    line.sendall(begun)

    def drip() -> None:
        while True:
            line.sendall(dripped)
            gevent.sleep(_READING / 8)

    dripping = gevent.spawn(drip)
    try:
        _, took = _until_gone(line)
    finally:
        dripping.kill()
    assert took < _READING + _SLACK


def test_a_connection_that_was_used_may_be_idle_longer_but_not_for_ever(
    line: socket.socket,
) -> None:
    """A client that comes back soon need not connect again."""
    line.sendall(_WHOLE)
    assert line.recv(65_536).endswith(b"ok")
    gevent.sleep(1.5 * _READING)
    line.sendall(_WHOLE)
    assert line.recv(65_536).endswith(b"ok")
    said, took = _rest(line)

    assert said == b""
    assert _IDLE / 2 < took < _IDLE + _SLACK


def _use(line: socket.socket) -> None:
    line.sendall(_WHOLE)
    said = b""
    while not said.endswith(b"ok"):
        said += line.recv(65_536)


def test_a_newcomer_takes_the_place_of_the_longest_idle_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When there is room for no other; connections that are in use stay."""
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
            line = socket.create_connection(("127.0.0.1", server.server_port))
            lines.append(opened.enter_context(line))
            _use(line)
        assert lines[0].recv(65_536) == b""
        _use(lines[1])


def test_a_client_that_waits_for_our_answer_is_not_slow(line: socket.socket) -> None:
    """A poll may be held for as long as it asked."""
    line.sendall(_WHOLE.replace(b"/echo", b"/held"))
    assert line.recv(65_536).endswith(b"ok")


def test_a_body_in_pieces_is_read_whole(line: socket.socket) -> None:
    """Slow is not too slow."""
    line.sendall(_HEAD + b"Content-Length: 4\r\n\r\nab")
    gevent.sleep(_READING / 4)
    line.sendall(b"cd")
    assert line.recv(65_536).endswith(b"abcd")
