"""What we remember of reports, as frozen records."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["agent", "every_agent"]
"""Whom a report stops: the agent that asked, or every one that acts for the person."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A report with its evidence, open until somebody closes it. Times are milliseconds."""

    id: str
    state: Literal["open", "closed"]
    scope: Scope
    approval_id: str
    user_id: str
    """Who reported it."""
    device_id: str
    note: str | None
    """A word of theirs for the administrators."""
    evidence: str
    """JSON text: the request, the signed bytes, each agent as it was, and what ended with it."""
    opened_at: int
    closed_at: int | None = None
    closed_by: str | None = None
    """The actor, as the log names it."""
    closing_note: str | None = None
