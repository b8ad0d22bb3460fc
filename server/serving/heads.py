"""Strict parsing of request heads: refuses anything that parsers interpret differently.

Owns: RFC 9112 2.2, 3, 5 and 6, and RFC 9110 5.5 and 7.2, as pure functions.
Never: a socket or a clock; the worker reads lines and closes the connection after an error.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 32 * 1024
"""The maximum size of the request line and all fields together."""
MAX_FIELDS: Final = 100
_MAX_PART = 2_048
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
    """An invalid head. The connection is closed after the response."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """A request head, with the methods that gevent uses to read headers."""

    method: str
    path: str
    """The target in origin form, with the query."""
    version: str
    fields: tuple[tuple[str, str], ...]
    """Lower-case names and values, in order."""
    content_length: int | None
    chunked: bool

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of the field with this name."""
        lower_name = name.lower()
        return next(
            (value for field_name, value in self.fields if field_name == lower_name), default
        )

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return all fields."""
        return self.fields

    def getheader(self, name: str) -> str | None:
        """Return the first value of the field with this name, or None."""
        return self.get(name) or None

    @property
    def typeheader(self) -> str | None:
        """The content type."""
        return self.getheader("content-type")

    @property
    def closes(self) -> bool:
        """Whether the client asks to close the connection after the response (9.3)."""
        options = {option.strip().lower() for option in self.get("connection").split(",")}
        return "close" in options or (self.version == "HTTP/1.0" and "keep-alive" not in options)

    def variables(self) -> Iterator[tuple[str, str]]:
        """Yield the WSGI variables; skips names with `_`, which might look like other fields."""
        for name, value in self.fields:
            if "_" not in name and name not in {"content-type", "content-length"}:
                yield "HTTP_" + name.replace("-", "_").upper(), value


def read_lines(read: Callable[[int], bytes], used: int) -> list[bytes]:
    """Read the field lines up to the empty line. `used` is the size of the request line.

    `read(n)` returns a line, or its next `n` bytes. Raises `BadHead`.
    """
    lines: list[bytes] = []
    while True:
        line = _line(read, MAX_BYTES - used)
        used += len(line)
        if line == _END:
            return lines
        if len(lines) == MAX_FIELDS:
            raise BadHead("too many header fields", 431)
        lines.append(line)


def _line(read: Callable[[int], bytes], max_bytes: int) -> bytes:
    """Read one line with its CRLF, in chunks, so that the limit applies while it arrives."""
    line = b""
    while not line.endswith(b"\n"):
        part = read(min(_MAX_PART, max_bytes + 1 - len(line)))
        line += part
        if len(line) > max_bytes:
            raise BadHead("the head is too large", 431)
        if not part:
            raise BadHead("the head ends early")
    return line


def parse(request_line: str, lines: Sequence[bytes]) -> Head:
    """Parse a request line and field lines. Raises `BadHead`."""
    match = _REQUEST_LINE.fullmatch(request_line)
    if match is None:
        raise BadHead("the request line is malformed")
    method, target, version = match.groups()
    fields = tuple(field(line) for line in lines)
    single = {name: _single_value(fields, name) for name in _ONLY_ONCE}
    host = _host(single["host"], version)
    chunked = _chunked(single, version)
    length = _length(single["content-length"])
    if method == "HEAD" and (chunked or length):
        raise BadHead("HEAD has no body")
    return Head(method, _path(method, target, host), version, fields, length, chunked)


def field(line: bytes) -> tuple[str, str]:
    """Parse a field line into its lower-case name and its value. Raises `BadHead` (5.1, 5.2)."""
    name, colon, rest = line.partition(b":")
    if not colon or not _NAME.fullmatch(name):
        raise BadHead("a header field has an invalid name")
    if not rest.endswith(_END) or _FORBIDDEN.search(rest, 0, len(rest) - 2):
        raise BadHead("a header field has a control character")
    return name.decode("ascii").lower(), rest.strip(b" \t\r\n").decode("latin-1")


def _single_value(fields: Sequence[tuple[str, str]], name: str) -> str | None:
    values = [value for field_name, value in fields if field_name == name]
    if len(values) > 1:
        raise BadHead(f"{name} is repeated")
    return values[0] if values else None


def _host(host: str | None, version: str) -> str:
    if host is None and version == "HTTP/1.1":
        raise BadHead("Host is missing")
    if host is not None and not _AUTHORITY.fullmatch(host):
        raise BadHead("Host is malformed")
    return host or ""


def _chunked(single: dict[str, str | None], version: str) -> bool:
    coding = single["transfer-encoding"]
    if coding is None:
        return False
    if coding.lower() != "chunked" or version == "HTTP/1.0":
        raise BadHead("Transfer-Encoding is not chunked")
    if single["content-length"] is not None:
        raise BadHead("both Content-Length and Transfer-Encoding are present")
    return True


def _length(text: str | None) -> int | None:
    if text is not None and not _LENGTH.fullmatch(text):
        raise BadHead("Content-Length is not a number")
    return None if text is None else int(text)


def _path(method: str, target: str, host: str) -> str:
    """Return the target in origin form (3.2). An absolute target must match the Host field."""
    if target.startswith("/") or (method, target) == ("OPTIONS", "*"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or absolute[1].lower() != host.lower():
        raise BadHead("the target is malformed, or names a different host")
    rest = absolute[2] or "/"
    return rest if rest.startswith("/") else "/" + rest
