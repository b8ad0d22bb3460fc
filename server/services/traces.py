"""What statistics need of a request, and of the rows of many. Times are milliseconds."""

from dataclasses import dataclass
from typing import Protocol

from server.protocol.risks import Risk
from server.protocol.states import State


@dataclass(frozen=True, slots=True)
class Trace:
    """One request: between whom, and when what happened."""

    agent_id: str
    user_id: str
    state: State
    created_at: int
    seen_at: int | None
    decided_at: int | None
    approved: bool
    """Somebody, or a rule, said yes, whatever became of it."""
    by_rule: bool
    """What decided was no person."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request that nobody has answered yet."""

    agent_id: str
    user_id: str
    risk: Risk
    expires_at: int


class TraceRows(Protocol):
    """Requests of people, without what they say. MUST cost the same however many there are."""

    def since(self, moment: int, limit: int) -> list[Trace]:
        """The newest from then on."""

    def asked(self, agent_id: str, user_id: str, since: int, limit: int) -> list[Trace]:
        """The newest from then on in which this agent asked this person."""

    def of_agent(self, agent_id: str, since: int, limit: int) -> list[Trace]:
        """The newest from then on in which this agent asked somebody."""

    def pending(self, now: int) -> int:
        """How many wait; as many rows as that are looked at, and no others."""

    def waiting(self, now: int, limit: int) -> list[Waiting]:
        """Those that wait, the first to end first."""
