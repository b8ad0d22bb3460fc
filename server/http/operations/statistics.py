"""The endpoints for statistics, findings, settings and limits."""

from typing import Literal

from pydantic import BaseModel

from server.http import listing
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed
from server.http.site import Site
from server.http.wire import RecordResponse, Reference
from server.services.operations.administration import AdminServices
from server.services.operations.doctor import Finding
from server.services.operations.limits import overview_json
from server.services.operations.statistics import MAX_DAYS, agent_history_json, summary_json


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
    """The statistics of a period. `complete` is false if only the newest requests count.

    `pending_complete` is false if only the pending requests that expire first count.
    """

    since: str
    complete: bool
    pending: int
    pending_complete: bool
    total: Tally
    days: list[DayTally]
    agents: list[AgentTally]
    people: list[PersonTally]
    ending: list[ExpiryTally]


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
    """The number of refusals of an agent or a user. `other` is an IP address or action types."""

    agent: Reference | None
    user: Reference | None
    other: str | None
    count: int


class NearLimit(LimitCount):
    """An agent or a user close to a limit. `reached` is true if the limit is used up."""

    reached: bool


class LimitDocument(BaseModel):
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


@managed("GET /api/admin/statistics", query=("days",))
def summary(request: HttpRequest, admin: AdminServices) -> Statistics:
    """Get statistics of requests and answers."""
    numbers = admin.statistics.summary(_days(request))
    return Statistics.model_validate(summary_json(numbers))


@managed("GET /api/agents/<id>/statistics", query=("days",), roles=STAFF_AND_OWNERS)
def of_agent(request: HttpRequest, admin: AdminServices, record_id: str) -> AgentStatistics:
    """Get statistics of an agent's requests."""
    statistics = admin.statistics.of_agent(record_id, _days(request))
    return AgentStatistics.model_validate(agent_history_json(statistics))


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
    sources = {name: source for name, _, source in site.settings}
    document = overview_json(admin.limits.overview())
    for item in document["items"]:
        item["source"] = sources.get(item["setting"])
    return Limits.model_validate(document)


def _days(request: HttpRequest) -> int:
    """The `days` parameter. Raises errors.Problem 422."""
    return listing.number(request, "days", default=14, largest=MAX_DAYS)
