"""RFC 9112: an ambiguous request is refused together with everything after it."""

import socket

import pytest

from tests.support.servers.server import LiveServer

_NEXT = b"GET /jwks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_POST = "POST /token HTTP/1.1|Host: localhost|Content-Type: application/x-www-form-urlencoded|"
_GET = "GET /jwks HTTP/1.1|Host: localhost|"

_REFUSED = {
    # 6.1, 6.3: how long the body is
    "length-and-chunked": _POST + "Content-Length: 3|Transfer-Encoding: chunked||0||",
    "chunked-and-length": _POST + "Transfer-Encoding: chunked|Content-Length: 3||0||",
    "two-lengths": _POST + "Content-Length: 3|Content-Length: 0||a=b",
    "same-length-twice": _POST + "Content-Length: 3|Content-Length: 3||a=b",
    "list-of-lengths": _POST + "Content-Length: 3, 3||a=b",
    "length-with-plus": _POST + "Content-Length: +0||",
    "length-below-zero": _POST + "Content-Length: -1||",
    "length-with-underscore": _POST + "Content-Length: 1_0||0123456789",
    "length-in-hex": _POST + "Content-Length: 0x3||a=b",
    "length-empty": _POST + "Content-Length:||",
    "length-other-digits": _POST + "Content-Length: \u00b3||a=b",
    "length-too-long": _POST + "Content-Length: " + "9" * 40 + "||",
    "coding-unknown": _POST + "Transfer-Encoding: xchunked||0||",
    "coding-list": _POST + "Transfer-Encoding: gzip, chunked||0||",
    "coding-twice": _POST + "Transfer-Encoding: chunked|Transfer-Encoding: chunked||0||",
    "coding-identity": _POST + "Transfer-Encoding: identity||",
    "coding-quoted": _POST + 'Transfer-Encoding: "chunked"||0||',
    "coding-vertical-tab": _POST + "Transfer-Encoding: \x0bchunked||0||",
    "coding-in-1.0": "POST /token HTTP/1.0|Transfer-Encoding: chunked||0||",
    "length-on-head": "HEAD /jwks HTTP/1.1|Host: localhost|Content-Length: 3||a=b",
    # 5.1, 5.2, 2.2: fields
    "space-before-colon": _POST + "Content-Length : 3||a=b",
    "tab-before-colon": _POST + "Content-Length\t: 3||a=b",
    "folded": _GET + "X-A: 1| folded||",
    "folded-first": "GET /jwks HTTP/1.1| Host: localhost||",
    "folded-with-tab": _GET + "X-A: 1|\tfolded||",
    "no-colon": _GET + "X-A||",
    "no-name": _GET + ": 1||",
    "name-with-space": _GET + "X A: 1||",
    "name-not-ascii": _GET + "X-\u00e9: 1||",
    "name-with-nul": _GET + "X\0A: 1||",
    "value-with-nul": _GET + "X-A: 1\0||",
    "value-with-escape": _GET + "X-A: \x1b[2J||",
    "bare-lf": _GET + "X-A: 1\nX-B: 2||",
    "bare-cr": _GET + "X-A: 1\rX-B: 2||",
    "bare-lf-at-the-end": _GET + "X-A: 1|\n",
    "only-lf": "GET /jwks HTTP/1.1\nHost: localhost\n\n",
    # 3.2: Host and the target
    "no-host": "GET /jwks HTTP/1.1||",
    "two-hosts": _GET + "Host: localhost||",
    "other-host": _GET + "Host: evil.example||",
    "host-empty": "GET /jwks HTTP/1.1|Host:||",
    "host-with-path": "GET /jwks HTTP/1.1|Host: localhost/a||",
    "host-with-user": "GET /jwks HTTP/1.1|Host: a@localhost||",
    "host-list": "GET /jwks HTTP/1.1|Host: localhost, evil.example||",
    "host-bad-port": "GET /jwks HTTP/1.1|Host: localhost:80a||",
    "target-of-another-host": "GET http://evil.example/jwks HTTP/1.1|Host: localhost||",
    "target-with-user": "GET http://a@localhost/jwks HTTP/1.1|Host: localhost||",
    "target-of-another-scheme": "GET ftp://localhost/jwks HTTP/1.1|Host: localhost||",
    "target-relative": "GET jwks HTTP/1.1|Host: localhost||",
    "target-authority": "CONNECT localhost:80 HTTP/1.1|Host: localhost:80||",
    "target-asterisk": "GET * HTTP/1.1|Host: localhost||",
    "target-fragment": "GET /jwks#a HTTP/1.1|Host: localhost||",
    "target-not-ascii": "GET /\u00e9 HTTP/1.1|Host: localhost||",
    # 3: the request line
    "two-spaces": "GET  /jwks HTTP/1.1|Host: localhost||",
    "tab-in-line": "GET\t/jwks HTTP/1.1|Host: localhost||",
    "space-at-end": "GET /jwks HTTP/1.1 |Host: localhost||",
    "no-version": "GET /jwks|Host: localhost||",
    "version-0.9": "GET /jwks HTTP/0.9|Host: localhost||",
    "version-1.10": "GET /jwks HTTP/1.10|Host: localhost||",
    "version-2.0": "GET /jwks HTTP/2.0|Host: localhost||",
    "version-lower-case": "GET /jwks http/1.1|Host: localhost||",
    "method-with-colon": "GE:T /jwks HTTP/1.1|Host: localhost||",
    # 7.1: chunks
    "chunk-size-empty": _POST + "Transfer-Encoding: chunked|||",
    "chunk-size-not-hex": _POST + "Transfer-Encoding: chunked||zz|a=b|0||",
    "chunk-size-with-0x": _POST + "Transfer-Encoding: chunked||0x3|a=b|0||",
    "chunk-size-with-plus": _POST + "Transfer-Encoding: chunked||+3|a=b|0||",
    "chunk-size-ends-in-lf": _POST + "Transfer-Encoding: chunked||3\na=b|0||",
    "chunk-extension-with-lf": _POST + "Transfer-Encoding: chunked||3;a\nb|a=b|0||",
    "chunk-longer-than-said": _POST + "Transfer-Encoding: chunked||2|a=b|0||",
    "chunk-shorter-than-said": _POST + "Transfer-Encoding: chunked||4|a=b|0||",
    "trailer-malformed": _POST + "Transfer-Encoding: chunked||3|a=b|0|X A: 1||",
}

_SERVED = {
    "plain": _GET + "|",
    "host-with-port": "GET /jwks HTTP/1.1|Host: localhost:8470||",
    "host-ipv6": "GET /jwks HTTP/1.1|Host: [::1]:8470||",
    "absolute": "GET http://localhost/jwks HTTP/1.1|Host: LOCALHOST||",
    "absolute-without-path": "GET http://localhost?x=1 HTTP/1.1|Host: localhost||",
    "latin-value": _GET + "X-A: bon\u00e9||",
    "spaces-around-value": _GET + "X-A: \t 1 \t||",
    "empty-value": _GET + "X-A:||",
    "length-zero": _POST + "Content-Length: 0||",
    "length-leading-zero": _POST + "Content-Length: 03||a=b",
    "chunked": _POST + "Transfer-Encoding: Chunked||3|a=b|0||",
    "chunk-extension": _POST + "Transfer-Encoding: chunked||3;x=y|a=b|0||",
    "trailer": _POST + "Transfer-Encoding: chunked||3|a=b|0|X-A: 1||",
    "expect": _POST + "Expect: 100-continue|Content-Length: 3||a=b",
}


def _response(server: LiveServer, request: str) -> bytes:
    """Returns everything that comes back for a request that is followed by a valid one."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(request.replace("|", "\r\n").encode("latin-1") + _NEXT)
        return b"".join(iter(lambda: line.recv(65_536), b""))


@pytest.mark.parametrize("case", _REFUSED)
def test_an_ambiguous_request_is_refused_and_nothing_after_it_is_served(
    server: LiveServer, case: str
) -> None:
    """The request gets 400, and the server closes the connection."""
    response = _response(server, _REFUSED[case])

    assert response.startswith(b"HTTP/1.1 400 ")
    assert response.count(b"HTTP/1.1 ") == 1
    assert b'"keys"' not in response


@pytest.mark.parametrize("case", _SERVED)
def test_a_valid_request_and_the_next_one_are_served(server: LiveServer, case: str) -> None:
    """The server is not stricter than the specification."""
    response = _response(server, _SERVED[case])

    assert response.replace(b"HTTP/1.1 100 Continue", b"").count(b"HTTP/1.1 ") == 2
    assert b'"keys"' in response


@pytest.mark.parametrize(
    "sent",
    [
        b"X-A: " + b"a" * 60_000 + b"\r\n",
        b"X-A: " + b"a" * 60_000,
        b"X-A: 1\r\n" * 101,
        (b"X-A: " + b"a" * 1_000 + b"\r\n") * 40,
    ],
    ids=["one-line", "unfinished-line", "many-fields", "many-lines"],
)
def test_a_head_that_is_too_large_is_refused(server: LiveServer, sent: bytes) -> None:
    """The limits are 32 KiB and a hundred fields. Nothing after such a head is served."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n" + sent + b"\r\n" + _NEXT)
        response = b"".join(iter(lambda: line.recv(65_536), b""))

    assert response.startswith(b"HTTP/1.1 431 ")
    assert response.count(b"HTTP/1.1 ") == 1


def test_a_large_head_within_the_limit_is_served(server: LiveServer) -> None:
    """Tokens and cookies may take several kilobytes."""
    head = b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n" + (b"X: " + b"a" * 7_000 + b"\r\n") * 4
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(head + b"Connection: close\r\n\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")
