"""Incidents, and what their rows promise."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Scope: TypeAlias = Literal["agent", "every_agent"]
"""Whom a report stops: the agent that asked, or every one that acts for the person."""

Cause: TypeAlias = Literal["reported", "no_owner"]
"""Why an agent was stopped: a person did not ask for something, or nobody answers for it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Why agents were stopped, with its evidence, until somebody closes it. Times are milliseconds.

    What belongs to a report is None where nobody reported anything.
    """

    id: str
    state: Literal["open", "closed"]
    scope: Scope
    approval_id: str | None
    user_id: str | None
    """Who reported it."""
    device_id: str | None
    note: str | None
    """A word of theirs for the administrators."""
    evidence: str
    """JSON text: the request, the signed bytes, each agent as it was, and what ended with it."""
    opened_at: int
    closed_at: int | None = None
    closed_by: str | None = None
    """The actor, as the log names it."""
    closing_note: str | None = None
    cause: Cause = "reported"


class IncidentRows(Protocol):
    """Incidents. `close` MUST be one conditional UPDATE; None means: it was closed before."""

    def add(self, incident: Incident) -> None: ...
    def get(self, incident_id: str) -> Incident | None: ...
    def open_of(self, approval_id: str, scope: Scope) -> Incident | None:
        """The newest open one about this request."""

    def search(
        self, *, closed: bool, limit: int, before: tuple[int, str] | None = None
    ) -> list[Incident]:
        """The newest open ones behind a moment and an id; with `closed` those too that are over."""

    def close(
        self, incident_id: str, *, by: str, note: str | None, now: int
    ) -> Incident | None: ...
