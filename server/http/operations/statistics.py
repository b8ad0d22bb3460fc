"""The endpoints for statistics, findings, settings and limits."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel

from server.http import listing
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed
from server.http.site import Site
from server.http.wire import RecordResponse, Reference, Time
from server.protocol.policy.risks import Risk
from server.services.operations.administration import AdminServices
from server.services.operations.doctor import Finding
from server.services.operations.limits import LimitsOverview, LimitSubject
from server.services.operations.statistics import (
    MAX_DAYS,
    AgentCounts,
    AgentHistory,
    PersonCounts,
    Summary,
    days_json,
)


class Tally(RecordResponse):
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
    """The statistics of one agent. If `unread`, its requests are probably approved unread."""

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


class AgentStatistics(RecordResponse):
    """The statistics of one agent. `complete` is false if only its newest requests were counted."""

    since: Time
    complete: bool
    total: Tally
    days: list[DayTally]


class Statistics(RecordResponse):
    """The statistics of a period. `complete` is false if only the newest requests were counted.

    `pending_complete` is false if only the pending requests that expire first were counted.
    """

    since: Time
    complete: bool
    pending: int
    pending_complete: bool
    total: Tally
    days: list[DayTally]
    agents: list[AgentTally]
    people: list[PersonTally]
    ending: list[ExpiryTally]


def statistics(record: Summary) -> Statistics:
    """The statistics of a period as JSON."""
    return Statistics.of(
        record,
        total=record.counts,
        days=days_json(record.days),
        agents=[_tally(agent) for agent in record.agents],
        people=[_tally(person) for person in record.people],
        ending=[
            {
                "within_seconds": None if ending.within_ms is None else ending.within_ms // 1000,
                **{str(risk): ending.by_risk.get(risk, 0) for risk in Risk},
            }
            for ending in record.ending
        ],
    )


def agent_statistics(record: AgentHistory) -> AgentStatistics:
    """The statistics of one agent as JSON."""
    return AgentStatistics.of(record, total=record.counts, days=days_json(record.days))


def _tally(record: AgentCounts | PersonCounts) -> dict[str, Any]:
    return asdict(record) | asdict(record.counts)


class FindingSubject(BaseModel):
    """The record that a finding is about."""

    kind: Literal["agent", "app", "user", "incident"]
    id: str


class FindingDocument(RecordResponse):
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


def _findings(records: list[Finding]) -> Findings:
    """Findings as JSON."""
    ordered = sorted(records, key=lambda finding: _ORDER.index(finding.level))
    items = [_finding(finding) for finding in ordered]
    return Findings(items=items, broken=any(finding.level == "broken" for finding in records))


def _finding(finding: Finding) -> FindingDocument:
    about = None if finding.about is None else dict(zip(("kind", "id"), finding.about, strict=True))
    return FindingDocument.of(finding, about=about)


class LimitCount(BaseModel):
    """A count for an agent, a user or `other`: an IP address or action types."""

    agent: Reference | None
    user: Reference | None
    other: str | None
    count: int


class NearLimit(LimitCount):
    """An agent or a user close to a limit. `reached` is true if the limit is used up."""

    reached: bool


class LimitDocument(RecordResponse):
    """A limit. `setting` is null if the limit is fixed.

    `within_seconds` is null if the limit counts open requests.
    """

    name: str
    what: str
    counted_per: str
    value: int
    within_seconds: int | None
    setting: str | None
    source: str | None
    near: list[NearLimit]
    refusals: list[LimitCount]


class Limits(BaseModel):
    """Every limit. `complete` is false if only the newest rows were counted."""

    items: list[LimitDocument]
    held_back: list[LimitCount]
    complete: bool


def overview(record: LimitsOverview, settings: Iterable[tuple[str, str, str]]) -> Limits:
    """All limits as JSON. `settings` are names, values and sources."""
    names, sources = record.names, {name: source for name, _, source in settings}
    return Limits(
        items=[
            LimitDocument.of(
                status.limit,
                value=status.value,
                within_seconds=status.limit.within_ms and status.limit.within_ms // 1000,
                source=sources.get(status.limit.setting or ""),
                near=[
                    {**_counted(near.who, near.count, names), "reached": near.reached}
                    for near in status.near
                ],
                refusals=[_counted(who, count, names) for who, count in status.refusals],
            )
            for status in record.limits
        ],
        held_back=[LimitCount(**_counted(who, count, names)) for who, count in record.held_back],
        complete=record.complete,
    )


def _counted(who: LimitSubject, count: int, names: Mapping[str, str]) -> dict[str, Any]:
    agent, user = (
        key and Reference(id=key, name=names[key]) for key in (who.agent_id, who.user_id)
    )
    return {"agent": agent, "user": user, "other": who.other or None, "count": count}


@managed("GET /api/admin/statistics", query=("days",))
def summary(request: HttpRequest, admin: AdminServices) -> Statistics:
    """Get statistics of requests and answers."""
    numbers = admin.statistics.summary(_days(request))
    return statistics(numbers)


@managed("GET /api/agents/<id>/statistics", query=("days",), roles=STAFF_AND_OWNERS)
def of_agent(request: HttpRequest, admin: AdminServices, record_id: str) -> AgentStatistics:
    """Get statistics of an agent's requests."""
    return agent_statistics(admin.statistics.of_agent(record_id, _days(request)))


@managed("GET /api/admin/findings")
def findings(admin: AdminServices) -> Findings:
    """List weaknesses and faults, and how to fix them.

    The checks of the machine are not included; only `sayso doctor` runs them.
    """
    return _findings(admin.doctor.findings())


@managed("GET /api/admin/settings")
def settings(site: Site, admin: AdminServices) -> Settings:
    """List each setting and its source."""
    admin.check()
    items = [Setting(name=n, value=v, source=source) for n, v, source in site.settings]
    return Settings(items=items, issuer=site.server_policy.issuer)


@managed("GET /api/admin/limits")
def limits(site: Site, admin: AdminServices) -> Limits:
    """List each limit, who is near it, and who reached it in the last 24 hours."""
    return overview(admin.limits.overview(), site.settings)


def _days(request: HttpRequest) -> int:
    """The `days` parameter. Raises errors.Problem 422."""
    return listing.number(request, "days", default=14, largest=MAX_DAYS)
