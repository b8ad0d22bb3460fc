"""The audit log as JSON."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from server.http.wire import Listed, Moment, RecordResponse, StrictBody, Time
from server.model.audit import StoredEntry


class LogEntry(RecordResponse):
    """An audit entry. `members` is its content, and `leaf` is the hash of its bytes."""

    id: str
    at: Time
    type: str
    actor: str
    correlation_id: str
    members: dict[str, Any]
    names: dict[str, str]
    leaf: str


class LogEntries(Listed[LogEntry]):
    """A page of the audit log, newest first."""


class TimelineEntry(LogEntry):
    """An audit entry, with the milliseconds since the first entry of the timeline."""

    milliseconds: int


class Timeline(BaseModel):
    """All audit entries of one request, token or API call, oldest first."""

    items: list[TimelineEntry]


class HashInput(StrictBody):
    """A value that the audit log contains only as a hash."""

    value: str = Field(max_length=4_000)


class ValueHash(BaseModel):
    """The hash to search the audit log for."""

    hash: str


class TrimInput(StrictBody):
    """The time before which entries lose their contents. It must be at least 30 days ago."""

    before: Moment


class Trim(BaseModel):
    """The index of the first entry that keeps its contents, and the number of trimmed entries."""

    before: int
    entries: int


class Erasure(BaseModel):
    """The ID of the user, and the number of erased texts."""

    user: str
    texts: int


def timeline(records: Sequence[StoredEntry]) -> Timeline:
    """A timeline as JSON."""
    start = records[0].at
    return Timeline(
        items=[
            TimelineEntry.of(record, leaf=record.leaf.hex(), milliseconds=record.at - start)
            for record in records
        ]
    )


def entry(record: StoredEntry) -> LogEntry:
    """An audit entry as JSON."""
    return LogEntry.of(record, leaf=record.leaf.hex())
