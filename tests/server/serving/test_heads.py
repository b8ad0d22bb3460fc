"""Request heads are parsed by pure functions. tests/conformance has refusals over a socket."""

import io

import pytest

from server.serving import heads
from server.serving.heads import BadHead

LINE = "GET /jwks?a=1 HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"


def read(sent):
    """The field lines of these bytes."""
    return heads.read_lines(io.BytesIO(sent).readline, len(LINE))


def test_a_head_is_parsed_into_wsgi_variables():
    """Names with an underscore are dropped, because they could be mistaken for other names."""
    sent = HOST + b"X-A:  1 \r\nX_A: 2\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nrest"
    head = heads.parse(LINE, read(sent))

    assert (head.method, head.path, head.version) == ("GET", "/jwks?a=1", "HTTP/1.1")
    assert (head.content_length, head.chunked, head.typeheader) == (3, False, "text/plain")
    assert dict(head.variables()) == {"HTTP_HOST": "localhost", "HTTP_X_A": "1"}


@pytest.mark.parametrize(
    ("version", "connection", "closes"),
    [
        ("1.1", "", False),
        ("1.1", "close", True),
        ("1.1", "upgrade, Close", True),
        ("1.0", "", True),
        ("1.0", "keep-alive", False),
    ],
)
def test_the_client_decides_whether_the_connection_closes(version, connection, closes):
    """RFC 9112 9.3 defines when a connection is closed."""
    line = f"GET / HTTP/{version}\r\n"
    lines = [HOST, f"Connection: {connection}\r\n".encode()]
    assert heads.parse(line, lines).closes is closes


def test_a_head_is_limited_to_32_kib():
    """One byte more is refused, whether or not the line has ended."""
    size = heads.MAX_BYTES - len(LINE) - len(HOST)
    exact = HOST + b"X: " + b"a" * (size - 7) + b"\r\n\r\n"
    assert len(read(exact)) == 2
    for head in (exact.replace(b"X: ", b"X: a"), HOST + b"a" * 100_000):
        with pytest.raises(BadHead) as refusal:
            read(head)
        assert refusal.value.status == 431


def test_a_head_is_limited_to_a_hundred_fields():
    """The number of fields is limited, however short they are."""
    assert len(read(b"X: 1\r\n" * 100 + b"\r\n")) == 100
    with pytest.raises(BadHead) as refusal:
        read(b"X: 1\r\n" * 101 + b"\r\n")
    assert refusal.value.status == 431


def test_an_incomplete_head_is_refused():
    """A request whose head is incomplete is invalid."""
    with pytest.raises(BadHead):
        read(HOST)


def test_a_long_run_of_spaces_is_refused_in_linear_time():
    """The parsing time grows only linearly with the number of spaces."""
    with pytest.raises(BadHead):
        heads.parse(LINE, [b"X:" + b" " * 30_000 + b"\0\r\n"])
