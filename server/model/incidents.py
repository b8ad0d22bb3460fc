"""Incidents."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["agent", "every_agent"]
"""The agents that a report quarantines: the requesting agent, or all that act for the user."""

Cause: TypeAlias = Literal["reported", "no_owner", "log_changed"]
"""A user reported an agent, an agent has no owner, or a user's device saw a different log."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A quarantine of agents or an alarm about the log. Times are in milliseconds.

    The members that describe a report are None for other causes.
    """

    id: str
    evidence: str
    """JSON text: the request, the signed bytes, the agents before the report, the revoked items."""
    opened_at: int
    state: Literal["open", "closed"] = "open"
    scope: Scope = "agent"
    approval_id: str | None = None
    user_id: str | None = None
    """The user who reported it."""
    device_id: str | None = None
    note: str | None = None
    """Their note to the administrators."""
    closed_at: int | None = None
    closed_by: str | None = None
    """The actor in the form of the audit log."""
    closing_note: str | None = None
    cause: Cause = "reported"
