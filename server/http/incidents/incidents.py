"""Endpoints of reports and incidents."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http import listing
from server.http.approvals import approval_wire
from server.http.route import STAFF_AND_OWNERS, HttpRequest, managed, own
from server.http.site import Site
from server.http.wire import Listed, RecordResponse, Reference, StrictBody, Time
from server.services import paging
from server.services.incidents.incidents import NamedIncident
from server.services.incidents.log_alarms import LogAlarm
from server.services.incidents.reports import Report
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person

_ReportScope = Literal["agent", "every_agent"]


class SignedReport(StrictBody):
    """A denial signed as suspicious (compact JWS), the agents to quarantine, and a note."""

    decision: str = Field(max_length=16_384)
    scope: _ReportScope = "agent"
    note: str | None = Field(default=None, max_length=1_000)

    def record(self) -> Report:
        """Convert to the services' type."""
        return Report(self.decision, self.scope, self.note)


class LogAlarmReport(StrictBody):
    """The checkpoint that a device saved, and the checkpoint or promise that contradicts it."""

    kept: str = Field(max_length=4_000)
    shown: str = Field(max_length=4_000)


class OpenedIncident(BaseModel):
    """The ID of the new incident."""

    incident: str


class IncidentClosing(StrictBody):
    """The result of the investigation."""

    note: str | None = Field(default=None, max_length=1_000)


class ReportedAgent(BaseModel):
    """A reported agent, and the items revoked with it."""

    client_id: str
    name: str
    state: Literal["enabled", "quarantined", "disabled", "deleted"]
    tokens_revoked: int
    descendants_revoked: int
    requests_cancelled: int
    approved_cancelled: int


class ReportResponse(RecordResponse):
    """The result of a report."""

    incident: str
    scope: _ReportScope
    opened_at: Time
    agents: list[ReportedAgent]
    approval: approval_wire.Approval


class AgentSecret(BaseModel):
    """Information about a secret of an agent. It does not include the secret."""

    id: str
    hint: str
    last_used_at: Time | None


class AgentEvidence(ReportedAgent):
    """An agent at the time of the incident, with its owners, keys and secrets."""

    state_before: Literal["enabled", "quarantined", "disabled"]
    owners: list[str]
    auth_method: str
    keys: list[str]
    secrets: list[AgentSecret]


class ApprovalEvidence(BaseModel):
    """The reported request at the time of the incident."""

    id: str
    kind: str
    state_before: str
    asked_by: Reference
    resource: str
    scope: str
    risk: str
    action_digest: str
    display_digest: str
    fingerprint: str
    asked_at: Time


class LogEvidence(BaseModel):
    """The checkpoint that a device saved, and the checkpoint or promise that contradicts it."""

    kept: str
    shown: str


class Incident(RecordResponse):
    """Why agents were quarantined or the audit log is not trusted, with the evidence.

    `signed` is what the person's device signed. If `cause` is not `reported`, the members of
    a report are null. Only `log_changed` has `log`.
    """

    id: str
    state: Literal["open", "closed"]
    cause: Literal["reported", "no_owner", "log_changed"]
    scope: _ReportScope
    opened_at: Time
    user: Reference | None
    device: str | None
    note: str | None
    approval: ApprovalEvidence | None
    agents: list[AgentEvidence]
    signed: str | None
    log: LogEvidence | None
    closed_at: Time | None
    closed_by: str | None
    closing_note: str | None


class Incidents(Listed[Incident]):
    """A page of the list of incidents, newest first."""


def document(named_incident: NamedIncident) -> Incident:
    """An incident as JSON."""
    record, evidence = named_incident.incident, named_incident.evidence
    return Incident.of(
        record,
        user=record.user_id and Reference(id=record.user_id, name=named_incident.user_name),
        device=record.device_id,
        approval=evidence.get("approval"),
        agents=_agents(named_incident),
        signed=evidence.get("signed"),
        log=evidence.get("log"),
    )


def _agents(named_incident: NamedIncident) -> list[dict[str, Any]]:
    """The agents as recorded at the quarantine, with their current states."""
    return [
        {**agent, "client_id": agent["id"], "state": named_incident.states[agent["id"]]}
        for agent in named_incident.evidence["agents"]
    ]


@own("POST /api/approvals/<id>/report", errors=(404, 422))
def report(site: Site, person: Person, record_id: str, body: SignedReport) -> ReportResponse:
    """Report a request: deny it, and quarantine its agent or all agents that act for you."""
    report_result = site.incidents.reports.report(person, record_id, body.record())
    incident = report_result.incident
    agents = _agents(site.incidents.incidents.show(incident.id))
    return ReportResponse.of(
        incident,
        incident=incident.id,
        agents=agents,
        approval=approval_wire.approval(report_result.approval),
    )


@own("POST /api/audit/alarms", errors=(422,))
def alarm(site: Site, person: Person, body: LogAlarmReport) -> OpenedIncident:
    """Report that the audit log differs from the log that your device saw before."""
    incident = site.incidents.log_alarms.report(person, LogAlarm(body.kept, body.shown))
    return OpenedIncident(incident=incident)


@managed(
    "GET /api/incidents",
    query=("closed", *listing.QUERY),
    roles=STAFF_AND_OWNERS,
    errors=(401, 403, 422),
)
def list_incidents(request: HttpRequest, admin: AdminServices) -> Incidents:
    """List open incidents, newest first."""
    limit = listing.limit(request)
    incidents = admin.incidents.search(
        closed=listing.flag(request, "closed"),
        limit=limit + 1,
        before=listing.timestamp_cursor(request),
        owner=admin.owner_id,
    )
    part = paging.part(incidents, limit, lambda t: f"{t.incident.opened_at}.{t.incident.id}")
    return listing.page(Incidents, part, document)


@managed("GET /api/incidents/<id>", roles=STAFF_AND_OWNERS, errors=(401, 403, 404))
def show(admin: AdminServices, record_id: str) -> Incident:
    """Get one incident with its evidence."""
    incident = admin.incidents.show(record_id, owner=admin.owner_id)
    return document(incident)


@managed("POST /api/incidents/<id>/close", signed=True)
def close(admin: AdminServices, record_id: str, body: IncidentClosing) -> Incident:
    """Close an incident. Quarantined agents stay quarantined."""
    incident = admin.incidents.close(record_id, body.note, by=admin.by)
    return document(incident)
