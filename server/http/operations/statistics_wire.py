"""The JSON of statistics, findings and settings."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel

from server.protocol.policy.risks import Risk
from server.services.operations.doctor import Finding
from server.services.operations.statistics import (
    AgentCounts,
    AgentHistory,
    Counts,
    DayCounts,
    Ending,
    PersonCounts,
    Summary,
)
from server.services.policy.displays import rfc3339


class Tally(BaseModel):
    """The results of some requests; times in milliseconds."""

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
    """The statistics of one agent; `unread` if nearly all is approved faster than anyone reads."""

    id: str
    name: str
    agreement: float | None
    read_ms: int | None
    unread: bool


class PersonTally(Tally):
    """The statistics of one person."""

    id: str
    name: str
    busiest: int
    too_much: bool


class EndingTally(BaseModel):
    """How many pending requests end within this time and not sooner; null for later."""

    within_seconds: int | None
    low: int
    medium: int
    high: int
    critical: int


class CourseAnswer(BaseModel):
    """The statistics of one agent; `whole` is false if only its newest requests were counted."""

    since: str
    whole: bool
    total: Tally
    days: list[DayTally]


class StatisticsAnswer(BaseModel):
    """The last days; `whole` is false if only the newest requests were counted."""

    since: str
    whole: bool
    pending: int
    total: Tally
    days: list[DayTally]
    agents: list[AgentTally]
    people: list[PersonTally]
    ending: list[EndingTally]


class FindingDocument(BaseModel):
    """One thing that is weak or broken, and the fix."""

    level: Literal["broken", "weak", "note"]
    what: str
    fix: str


class Findings(BaseModel):
    """What is weak or broken, broken first."""

    items: list[FindingDocument]
    broken: bool


class Setting(BaseModel):
    """One setting."""

    name: str
    value: str
    source: str


class Settings(BaseModel):
    """Every setting, and the resulting public URL."""

    items: list[Setting]
    issuer: str


_ORDER = ("broken", "weak", "note")


def findings(found: list[Finding]) -> Findings:
    """Findings as JSON."""
    ordered = sorted(found, key=lambda one: _ORDER.index(one.level))
    items = [FindingDocument(level=one.level, what=one.what, fix=one.fix) for one in ordered]
    return Findings(items=items, broken=any(one.level == "broken" for one in found))


def answer(summary: Summary) -> StatisticsAnswer:
    """Statistics as JSON."""
    return StatisticsAnswer(
        since=rfc3339(summary.since),
        whole=summary.whole,
        pending=summary.pending,
        total=tally(summary.counts),
        days=days(summary.days),
        agents=[_agent(one) for one in summary.agents],
        people=[_person(one) for one in summary.people],
        ending=[ending(one) for one in summary.ending],
    )


def course(found: AgentHistory) -> CourseAnswer:
    """One agent's statistics as JSON."""
    return CourseAnswer(
        since=rfc3339(found.since),
        whole=found.whole,
        total=tally(found.counts),
        days=days(found.days),
    )


def ending(one: Ending) -> EndingTally:
    """The pending requests of one range of time left as JSON."""
    within = None if one.within_ms is None else one.within_ms // 1000
    return EndingTally(
        within_seconds=within, **{str(risk): one.by_risk.get(risk, 0) for risk in Risk}
    )


def days(found: Iterable[DayCounts]) -> list[DayTally]:
    """Each day as JSON."""
    return [DayTally(day=rfc3339(one.at)[:10], **_counts(one.counts)) for one in found]


def tally(counts: Counts) -> Tally:
    """Counts as JSON."""
    return Tally(**_counts(counts))


def _agent(one: AgentCounts) -> AgentTally:
    return AgentTally(
        id=one.id,
        name=one.name,
        agreement=one.agreement,
        read_ms=one.read_ms,
        unread=one.unread,
        **_counts(one.counts),
    )


def _person(one: PersonCounts) -> PersonTally:
    return PersonTally(
        id=one.id,
        name=one.name,
        busiest=one.busiest,
        too_much=one.too_much,
        **_counts(one.counts),
    )


def _counts(counts: Counts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in Tally.model_fields}
