"""The JSON of statistics, findings and settings."""

from typing import Literal

from pydantic import BaseModel

from server.services.operations.doctor import Finding
from server.services.operations.statistics import (
    AgentHistory,
    Summary,
    agent_history_json,
    summary_json,
)


class Tally(BaseModel):
    """The number of requests by result. Times are in milliseconds."""

    asked: int
    approved: int
    denied: int
    expired: int
    cancelled: int
    waiting: int
    median_ms: int | None


class DayTally(Tally):
    """The statistics of one day (UTC)."""

    day: str


class AgentTally(Tally):
    """The statistics of one agent. `unread` marks approvals that are too fast to be read."""

    id: str
    name: str
    agreement: float | None
    """The share of decisions that are approvals."""
    read_ms: int | None
    """The median time from opening a request to the decision."""
    unread: bool


class PersonTally(Tally):
    """The statistics of one person."""

    id: str
    name: str
    busiest: int
    """The largest number of requests on one day."""
    too_much: bool
    """Whether that number is so large that the person is marked as overloaded."""


class ExpiryTally(BaseModel):
    """The number of pending requests that expire within this time. Null is for all later ones."""

    within_seconds: int | None
    low: int
    medium: int
    high: int
    critical: int


class AgentStatistics(BaseModel):
    """The statistics of one agent. `complete` is false if only its newest requests count."""

    since: str
    complete: bool
    total: Tally
    days: list[DayTally]


class Statistics(BaseModel):
    """The statistics of a period. `complete` is false if only the newest requests count."""

    since: str
    complete: bool
    pending: int
    total: Tally
    days: list[DayTally]
    agents: list[AgentTally]
    people: list[PersonTally]
    ending: list[ExpiryTally]


class FindingSubject(BaseModel):
    """The record that a finding is about."""

    kind: Literal["agent", "app", "user", "incident"]
    id: str


class FindingDocument(BaseModel):
    """A weakness or a fault, and how to fix it."""

    level: Literal["broken", "weak", "note"]
    what: str
    fix: str
    about: FindingSubject | None


class Findings(BaseModel):
    """The findings of the health checks, errors first."""

    items: list[FindingDocument]
    broken: bool


class Setting(BaseModel):
    """A setting, its value and its source."""

    name: str
    value: str
    source: str


class Settings(BaseModel):
    """All settings, and the issuer that results from them."""

    items: list[Setting]
    issuer: str


_ORDER = ("broken", "weak", "note")


def findings(records: list[Finding]) -> Findings:
    """Findings as JSON."""
    ordered = sorted(records, key=lambda finding: _ORDER.index(finding.level))
    items = [_finding(finding) for finding in ordered]
    return Findings(items=items, broken=any(finding.level == "broken" for finding in records))


def _finding(finding: Finding) -> FindingDocument:
    about = None if finding.about is None else dict(zip(("kind", "id"), finding.about, strict=True))
    members = {"level": finding.level, "what": finding.what, "fix": finding.fix, "about": about}
    return FindingDocument.model_validate(members)


def answer(summary: Summary) -> Statistics:
    """Statistics as JSON."""
    return Statistics.model_validate(summary_json(summary))


def agent_history(history: AgentHistory) -> AgentStatistics:
    """One agent's statistics as JSON."""
    return AgentStatistics.model_validate(agent_history_json(history))
