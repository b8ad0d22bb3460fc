"""The audit log as JSON."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from server.http.wire import Listed, Moment, StrictBody
from server.model.audit import StoredEntry
from server.services.policy.displays import rfc3339


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


class LogEntries(Listed[LogEntry]):
    """A page of the audit log, newest first."""


class TimelineEntry(LogEntry):
    """An audit entry with its time since the first one of the timeline."""

    milliseconds: int


class Timeline(BaseModel):
    """All entries of one request, token or API call, oldest first."""

    items: list[TimelineEntry]


class HashInput(StrictBody):
    """A value that the log does not have."""

    value: str = Field(max_length=4_000)


class ValueHash(BaseModel):
    """The hash by which entries about the value are found."""

    hash: str


class TrimInput(StrictBody):
    """The entries before this time lose their contents; it must be at least 30 days ago."""

    before: Moment


class Trim(BaseModel):
    """The place of the first entry that keeps its contents, and how many lose theirs."""

    before: int
    entries: int


class Erasure(BaseModel):
    """The ID of the user, and how many texts were erased."""

    user: str
    texts: int


def timeline(records: Sequence[StoredEntry]) -> Timeline:
    """A timeline as JSON."""
    start = records[0].at
    return Timeline(
        items=[
            TimelineEntry(**entry(record).model_dump(), milliseconds=record.at - start)
            for record in records
        ]
    )


def entry(record: StoredEntry) -> LogEntry:
    """An audit entry as JSON."""
    return LogEntry(
        id=record.id,
        at=rfc3339(record.at),
        type=record.type,
        actor=record.actor,
        correlation_id=record.correlation_id,
        members=record.members,
        names=dict(record.names),
        leaf=record.leaf.hex(),
    )
