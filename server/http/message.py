"""HTTP requests and responses as plain values, independent of the web framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.protocol import json_text

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
MAX_BODY_BYTES: Final = 128 * 1024
"""The size limit of request bodies."""
WAITED: Final = "sayso.waited"
"""WSGI environment key: seconds that the request waited in its client's queue."""
OVERLOADED: Final = "sayso.overloaded"
"""WSGI environment key: the client's queue is full, so the request is refused."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request. Header names are lower-case; `at` is its arrival in milliseconds."""

    method: str
    path: str
    params: Mapping[str, str]
    """The path parameters of its route."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    proofs: Sequence[str]
    """Every `DPoP` header."""
    body: bytes
    peer: str
    at: int
    repeated: frozenset[str] = frozenset()
    """Query parameters that were sent more than once; `query` has the first value of each."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(
    status: int,
    value: object,
    headers: Mapping[str, str] | None = None,
    *,
    media_type: str = "application/json",
) -> HttpResponse:
    """A JSON response that must not be cached."""
    body = json_text.compact(value).encode()
    return HttpResponse(status, body, {"Content-Type": media_type, **NO_STORE, **(headers or {})})
