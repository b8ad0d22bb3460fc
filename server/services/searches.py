"""What is looked for in rows that are many; None means that it does not matter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntrySearch:
    """Entries of the log. Times in milliseconds."""

    type: str | None = None
    actor: str | None = None
    agent_id: str | None = None
    subject: str | None = None
    resource: str | None = None
    approval_id: str | None = None
    correlation_id: str | None = None
    since: int | None = None
    until: int | None = None
    """Before this moment."""
