"""One row of the table of routes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel

from server.services.operations.authority import AccessRule, Role

ID_PATTERN: Final = "[A-Za-z0-9_-]{1,64}"
"""The part of a path that names something; what cannot be an id is no path of ours."""

STATEMENT: Final = "Sayso-Statement"
"""The header of a statement about the request that carries it."""

ADMIN: Final = (Role.ADMIN,)
STAFF: Final = (Role.ADMIN, Role.AUDITOR)

READS: Final = (401, 403, 404, 422)
"""The errors of a row that reads, in administration."""
CHANGES: Final = (401, 403, 404, 409, 422)
"""Likewise of one that changes something."""
UPDATES: Final = (*CHANGES, 412, 428)
"""Likewise of one that takes the version that it changes."""


class Caller(Enum):
    """Who may call a route, and in whose words it refuses."""

    ANYBODY = "anybody"
    CLIENT = "client"
    """An agent or a terminal that authenticates in the request; RFC 6749 errors."""
    RESOURCE = "resource"
    """A resource with its secret by HTTP Basic; problem documents."""
    PERSON = "person"
    """A person's terminal with a DPoP-bound token; problem documents."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path, the function behind them, and what OpenAPI says of them."""

    method: str
    path: str
    endpoint: Callable[..., Any]
    caller: Caller
    summary: str
    body: type[BaseModel] | None = None
    form: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """The parameters of the form without which nothing can be done."""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """Headers that change what happens, besides those that say who is calling."""
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = field(default=())
    rule: AccessRule | None = None
    """Whose administration it is; the endpoint is then handed a desk in place of the person."""

    browsers: bool = False
    """A browser that is signed in may call it too, from a page of ours."""
    problems: bool = False
    """It refuses with problem documents, whoever calls."""

    @property
    def as_problem(self) -> bool:
        """Reports whether it refuses with problem documents (RFC 9457)."""
        return self.problems or self.caller in {Caller.RESOURCE, Caller.PERSON}

    @property
    def name(self) -> str:
        """How metrics and logs call it."""
        return f"{self.method} {self.path}"
