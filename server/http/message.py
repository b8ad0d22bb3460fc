"""A request and an answer as plain values; every framework is an adapter over these two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.protocol import json_text

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
MOST_BODY_BYTES: Final = 128 * 1024
"""Of a request."""
WAITED: Final = "sayso.waited"
"""In the WSGI environment: seconds for which a request waited for its client's turn."""
OVERLOADED: Final = "sayso.overloaded"
"""In the WSGI environment: the client has too many requests waiting; this one is refused."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. Header names are lower-case; `at` is its arrival in milliseconds."""

    method: str
    path: str
    params: Mapping[str, str]
    """The parts of the path that its route names."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    proofs: Sequence[str]
    """Every `DPoP` header."""
    body: bytes
    peer: str
    at: int
    repeated: frozenset[str] = frozenset()
    """Names of query parameters that came more than once; `query` has the first of each."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer."""

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
    """An answer with a JSON body that nobody stores."""
    body = json_text.compact(value).encode()
    return HttpResponse(status, body, {"Content-Type": media_type, **NO_STORE, **(headers or {})})
