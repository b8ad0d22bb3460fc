"""The head of a request, read strictly: what two parsers could understand differently is refused.

Owns: RFC 9112 2.2, 3, 5 and 6, and RFC 9110 5.5 and 7.2, as pure functions.
Never: a socket or a clock; the worker reads lines and closes the connection after a refusal.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 32 * 1024
"""Of a request line and all fields together."""
MOST_FIELDS: Final = 100
_MOST_PIECE = 2_048
_END: Final = b"\r\n"
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_REQUEST_LINE = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21\x22\x24-\x7e]+) (HTTP/1\.[01])\r\n"
)
_ABSOLUTE = re.compile(r"https?://([^/?]+)([/?].*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LENGTH = re.compile(r"[0-9]{1,15}")
_ONLY_ONCE: Final = ("content-length", "transfer-encoding", "host")


class BadHead(ValueError):
    """A head that is not served. The connection is closed after the answer."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head. It has the methods by which gevent reads headers."""

    method: str
    path: str
    """The origin form of the target, query included."""
    version: str
    fields: tuple[tuple[str, str], ...]
    """Lower-case names with their values, in the order of their arrival."""
    content_length: int | None
    chunked: bool

    def get(self, name: str, default: str = "") -> str:
        """The first value of this name."""
        wanted = name.lower()
        return next((value for found, value in self.fields if found == wanted), default)

    def items(self) -> tuple[tuple[str, str], ...]:
        """Every field."""
        return self.fields

    def getheader(self, name: str) -> str | None:
        """The first value of this name, or None."""
        return self.get(name) or None

    @property
    def typeheader(self) -> str | None:
        """The content type."""
        return self.getheader("content-type")

    @property
    def closes(self) -> bool:
        """Reports whether the client wants the connection closed after the answer (9.3)."""
        options = {one.strip().lower() for one in self.get("connection").split(",")}
        return "close" in options or (self.version == "HTTP/1.0" and "keep-alive" not in options)

    def variables(self) -> Iterator[tuple[str, str]]:
        """WSGI's names for the fields. Names with `_` are left out: they could pose as others."""
        for name, value in self.fields:
            if "_" not in name and name not in {"content-type", "content-length"}:
                yield "HTTP_" + name.replace("-", "_").upper(), value


def read_lines(read: Callable[[int], bytes], used: int) -> list[bytes]:
    """The field lines up to the empty line; `used` bytes were taken by the request line.

    `read(n)` returns a line, or its next `n` bytes. Raises `BadHead`.
    """
    lines: list[bytes] = []
    while True:
        line = _line(read, MOST_BYTES - used)
        used += len(line)
        if line == _END:
            return lines
        if len(lines) == MOST_FIELDS:
            raise BadHead("too many header fields", 431)
        lines.append(line)


def _line(read: Callable[[int], bytes], most: int) -> bytes:
    """One line with its CRLF, in pieces, so that what is kept is counted while it arrives."""
    line = b""
    while not line.endswith(b"\n"):
        piece = read(min(_MOST_PIECE, most + 1 - len(line)))
        line += piece
        if len(line) > most:
            raise BadHead("the head is too large", 431)
        if not piece:
            raise BadHead("the head ends early")
    return line


def parse(request_line: str, lines: Sequence[bytes]) -> Head:
    """A head from its request line and field lines. Raises `BadHead`."""
    matched = _REQUEST_LINE.fullmatch(request_line)
    if matched is None:
        raise BadHead("the request line is malformed")
    method, target, version = matched.groups()
    fields = tuple(field(line) for line in lines)
    once = {name: _once(fields, name) for name in _ONLY_ONCE}
    host = _host(once["host"], version)
    chunked = _chunked(once, version)
    length = _length(once["content-length"])
    if method == "HEAD" and (chunked or length):
        raise BadHead("HEAD has no body")
    return Head(method, _path(method, target, host), version, fields, length, chunked)


def field(line: bytes) -> tuple[str, str]:
    """A field's name in lower case, and its value. Raises `BadHead` (5.1, 5.2)."""
    name, colon, rest = line.partition(b":")
    if not colon or not _NAME.fullmatch(name):
        raise BadHead("a header field has no proper name")
    if not rest.endswith(_END) or _FORBIDDEN.search(rest, 0, len(rest) - 2):
        raise BadHead("a header field has a control character")
    return name.decode("ascii").lower(), rest.strip(b" \t\r\n").decode("latin-1")


def _once(fields: Sequence[tuple[str, str]], name: str) -> str | None:
    values = [value for found, value in fields if found == name]
    if len(values) > 1:
        raise BadHead(f"{name} is there more than once")
    return values[0] if values else None


def _host(host: str | None, version: str) -> str:
    if host is None and version == "HTTP/1.1":
        raise BadHead("there is no Host")
    if host is not None and not _AUTHORITY.fullmatch(host):
        raise BadHead("Host is malformed")
    return host or ""


def _chunked(once: dict[str, str | None], version: str) -> bool:
    coding = once["transfer-encoding"]
    if coding is None:
        return False
    if coding.lower() != "chunked" or version == "HTTP/1.0":
        raise BadHead("Transfer-Encoding is not chunked")
    if once["content-length"] is not None:
        raise BadHead("Content-Length and Transfer-Encoding are both there")
    return True


def _length(text: str | None) -> int | None:
    if text is not None and not _LENGTH.fullmatch(text):
        raise BadHead("Content-Length is not a number")
    return None if text is None else int(text)


def _path(method: str, target: str, host: str) -> str:
    """The target in origin form (3.2); an absolute one must name the host of the Host field."""
    if target.startswith("/") or (method, target) == ("OPTIONS", "*"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or absolute[1].lower() != host.lower():
        raise BadHead("the target is malformed, or names another host")
    rest = absolute[2] or "/"
    return rest if rest.startswith("/") else "/" + rest
