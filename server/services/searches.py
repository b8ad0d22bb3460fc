"""What is looked for in rows that are many; None means that it does not matter."""

from dataclasses import dataclass

from server.protocol.states import State
from server.services.approval_records import Approval


@dataclass(frozen=True, slots=True)
class EntrySearch:
    """Entries of the log. Times in milliseconds. Agents and people are named, or by their ids."""

    type: str | None = None
    actor: str | None = None
    """A name or an id; the log knows `actors` alone."""
    actors: tuple[str, ...] | None = None
    """As the log writes them; any of these."""
    agent_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    approval_id: str | None = None
    correlation_id: str | None = None
    since: int | None = None
    until: int | None = None
    """Before this moment."""


@dataclass(frozen=True, slots=True)
class DecidedSearch:
    """What is over for one person. Times in milliseconds."""

    agent: str | None = None
    """By id."""
    states: frozenset[State] | None = None
    since: int | None = None

    def fits(self, approval: Approval) -> bool:
        """Reports whether one is looked for."""
        return (
            self.agent in {None, approval.agent_id}
            and (self.states is None or approval.state in self.states)
            and not self.is_past(approval)
        )

    def is_past(self, approval: Approval) -> bool:
        """Reports whether one was over before the first moment that matters."""
        return self.since is not None and (approval.decided_at or 0) < self.since


EVERYTHING = DecidedSearch()
