"""Names as the store keeps them, and what the services need of their rows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

NameKind: TypeAlias = Literal["client", "user", "group", "resource"]
"""Two names of one kind may not look alike. Agents and apps are one kind."""


@dataclass(frozen=True, slots=True)
class UnprotectedName:
    """A name from an earlier version that looks like an older name of its kind."""

    kind: NameKind
    bearer: str
    name: str


@dataclass(frozen=True, slots=True)
class FormerName:
    """What an agent was called before, and until when."""

    name: str
    until: int


class NameRows(Protocol):
    """What names look like (`confusables.name_keys`), and former names of agents.

    A method that stores a client, user, group or resource MUST raise `Taken` if another one of its
    kind looks like it. It keeps a name of an earlier version that looks like another one, until
    that name changes.
    """

    def bearers(self, kind: NameKind, looks: Collection[str]) -> list[str]:
        """The ids of those whose names have one of these looks; the URIs of resources."""

    def unprotected(self) -> list[UnprotectedName]:
        """Names from an earlier version whose look belongs to another one, or did."""

    def add_former(self, agent_id: str, former: FormerName) -> None: ...
    def former(self, agent_id: str) -> list[FormerName]:
        """What an agent was called before, the newest first."""
