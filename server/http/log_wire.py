"""The log, as the JSON API shows it."""

from typing import Any

from pydantic import BaseModel


class LogEntry(BaseModel):
    """An entry: what its bytes say, and the leaf that they hash to."""

    id: str
    at: str
    type: str
    actor: str
    correlation_id: str
    members: dict[str, Any]
    names: dict[str, str]
    leaf: str


class LogEntries(BaseModel):
    """A part of the log, newest first."""

    items: list[LogEntry]
    next: str | None
