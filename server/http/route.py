"""Routes, the decorators that declare them, and plain request and response values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from inspect import get_annotations, getdoc, signature
from typing import Final, TypeAlias, TypedDict, Unpack

from pydantic import BaseModel

from server.protocol import json_text
from server.services.operations.authority import AccessRule, Role, Target

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


ID_PATTERN: Final = "[A-Za-z0-9_-]{1,64}"
"""The pattern of IDs in paths. Other paths return 404."""

PROMISES: Final = "Sayso-Promises"
"""The header with the promises of the audit log, in Base64, for the entries of a change."""
STATEMENT: Final = "Sayso-Statement"
"""The header with a signed statement about its own request."""

Result: TypeAlias = HttpResponse | BaseModel | Mapping[str, object] | None
"""What endpoints return: JSON with the route's status, None for no body, or a full response."""

ADMIN: Final = (Role.ADMIN,)
STAFF: Final = (Role.ADMIN, Role.AUDITOR)
STAFF_AND_OWNERS: Final = (*STAFF, Role.OWNER)

READS: Final = (401, 403, 404, 422)
"""The errors of an administration route that reads."""
CHANGES: Final = (401, 403, 404, 409, 422)
"""The errors of an administration route that changes something."""
UPDATES: Final = (*CHANGES, 412, 428)
"""The errors of an administration route that requires `If-Match`."""


_TARGETS: Final[Mapping[str, Target]] = {
    "/api/agents/<id>": "agent",
    "/api/apps/<id>": "app",
    "/api/groups/<id>": "group",
    "/api/users/<id>": "user",
    "/api/resources/<id>": "resource",
    "/api/actions/<id>": "action",
    "/api/admin/devices/<id>": "device",
    "/api/policy": "policy",
}


class Caller(Enum):
    """Who may call a route. This also decides the format of errors."""

    ANYBODY = "anybody"
    CLIENT = "client"
    """An agent or a terminal that authenticates in the request; RFC 6749 errors."""
    RESOURCE = "resource"
    """A resource with its secret by HTTP Basic; problem documents."""
    PERSON = "person"
    """A person's terminal with a DPoP-bound token; problem documents."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, their endpoint, and their description for OpenAPI."""

    method: str
    path: str
    endpoint: "Endpoint"
    caller: Caller
    summary: str
    body: type[BaseModel] | None = None
    form: tuple[str, ...] = ()
    required_parameters: tuple[str, ...] = ()
    """The required form parameters."""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """Headers that have an effect, other than those for authentication."""
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = field(default=())
    rule: AccessRule | None = None
    """The access rule of an administration route, whose endpoint gets `AdminServices`."""

    browsers: bool = False
    """A signed-in browser may also call it, from our pages."""
    problems: bool = False
    """Errors are problem documents for every caller."""
    same_origin: bool = False
    """Requests from other sites are refused."""

    @property
    def as_problem(self) -> bool:
        """Whether errors are problem documents (RFC 9457)."""
        return self.problems or self.caller in {Caller.RESOURCE, Caller.PERSON}

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments that the endpoint takes; `dispatch` has their values."""
        return _parameters(self.endpoint)

    @property
    def name(self) -> str:
        """The route's name in metrics and logs."""
        return f"{self.method} {self.path}"


Endpoint: TypeAlias = Callable[..., Result]


@cache
def _parameters(endpoint: Endpoint) -> tuple[str, ...]:
    return tuple(signature(endpoint).parameters)


class Options(TypedDict, total=False):
    """The fields of a route that its decorator may set."""

    body: type[BaseModel]
    form: tuple[str, ...]
    required_parameters: tuple[str, ...]
    query: tuple[str, ...]
    headers: tuple[str, ...]
    answer: type[BaseModel]
    status: int
    errors: tuple[int, ...]
    rule: AccessRule
    browsers: bool
    problems: bool
    same_origin: bool


def route(name: str, caller: Caller, **options: Unpack[Options]) -> Callable[[Endpoint], Route]:
    """Decorate the endpoint of the route `name`, a method and a path.

    The summary is the first line of the docstring. The models of the request and response bodies
    are those of the annotations, unless they are passed. The endpoint names the arguments that it
    needs: `site`, `request`, `record_id` (the ID in the path), `body`, and the caller: `person`,
    `admin` (their administration services) or `caller` (a resource).
    """
    method, path = name.split()

    def decorate(endpoint: Endpoint) -> Route:
        types = get_annotations(endpoint)
        returned = types["return"]
        options.setdefault("status", 204 if returned is None else 200)
        if "body" in types:
            options.setdefault("body", types["body"])
        if isinstance(returned, type) and issubclass(returned, BaseModel):
            options.setdefault("answer", returned)
        summary = (getdoc(endpoint) or "").split("\n")[0]
        return Route(method, path, endpoint, caller, summary, **options)

    return decorate


def own(name: str, **options: Unpack[Options]) -> Callable[[Endpoint], Route]:
    """Decorate the endpoint of a route about the caller's own data.

    `errors` omits 401 and 403, which every such route can return.
    """
    options["errors"] = tuple(sorted((401, 403, *options.get("errors", ()))))
    options.setdefault("browsers", True)
    return route(name, Caller.PERSON, **options)


def managed(
    name: str,
    *,
    roles: tuple[Role, ...] | None = None,
    signed: bool = False,
    versioned: bool = False,
    **options: Unpack[Options],
) -> Callable[[Endpoint], Route]:
    """Decorate the endpoint of an administration route.

    Administrators and auditors may read, and only administrators change, unless `roles` differs.
    Browsers may call all of them: a passkey replaces the terminal's high-risk key.
    """
    method, path = name.split()
    reads = method == "GET"
    allowed = roles or (STAFF if reads else ADMIN)
    options.setdefault("errors", READS if reads else UPDATES if versioned else CHANGES)
    options["rule"] = AccessRule(allowed, _target(path), signed=signed, versioned=versioned)
    options["browsers"] = True
    return route(name, Caller.PERSON, **options)


def _target(path: str) -> Target | None:
    """The kind of record in the path, if it is compared before and after the call."""
    record = path if path in _TARGETS else f"{path.partition('<id>')[0]}<id>"
    return _TARGETS.get(record)
