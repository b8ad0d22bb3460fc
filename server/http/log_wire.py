"""The log, as the JSON API shows it."""

from typing import Any

from pydantic import BaseModel


class LogEntry(BaseModel):
    """An audit entry: the members of its bytes, and their hash as `leaf`."""

    id: str
    at: str
    type: str
    actor: str
    correlation_id: str
    members: dict[str, Any]
    names: dict[str, str]
    leaf: str


class LogEntries(BaseModel):
    """A page of the audit log, newest first."""

    items: list[LogEntry]
    next: str | None
