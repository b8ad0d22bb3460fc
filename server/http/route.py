"""A route: one row of the table of routes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel

from server.services.operations.authority import AccessRule, Role

ID_PATTERN: Final = "[A-Za-z0-9_-]{1,64}"
"""The ids in paths; a path with anything else is not found."""

STATEMENT: Final = "Sayso-Statement"
"""The header with a signed statement about its own request."""

ADMIN: Final = (Role.ADMIN,)
STAFF: Final = (Role.ADMIN, Role.AUDITOR)

READS: Final = (401, 403, 404, 422)
"""The errors of an administration route that reads."""
CHANGES: Final = (401, 403, 404, 409, 422)
"""The errors of an administration route that changes something."""
UPDATES: Final = (*CHANGES, 412, 428)
"""The errors of an administration route that requires `If-Match`."""


class Caller(Enum):
    """Who may call a route; it decides the format of errors too."""

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
    endpoint: Callable[..., Any]
    caller: Caller
    summary: str
    body: type[BaseModel] | None = None
    form: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """The required form parameters."""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """Headers with an effect, apart from authentication."""
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = field(default=())
    rule: AccessRule | None = None
    """The access rule of an administration route, whose endpoint gets `AdminServices`."""

    browsers: bool = False
    """A signed-in browser may call it too, from our pages."""
    problems: bool = False
    """Errors are problem documents, whoever calls."""

    @property
    def as_problem(self) -> bool:
        """Reports whether errors are problem documents (RFC 9457)."""
        return self.problems or self.caller in {Caller.RESOURCE, Caller.PERSON}

    @property
    def name(self) -> str:
        """The route's name in metrics and logs."""
        return f"{self.method} {self.path}"
