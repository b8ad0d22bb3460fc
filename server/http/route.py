"""One row of the table of routes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel


class Caller(Enum):
    """Who may call a route, and in whose words it refuses."""

    ANYBODY = "anybody"
    CLIENT = "client"
    """An agent or a terminal that authenticates in the request; RFC 6749 errors."""
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
    query: tuple[str, ...] = ()
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = field(default=())

    @property
    def name(self) -> str:
        """How metrics and logs call it."""
        return f"{self.method} {self.path}"
