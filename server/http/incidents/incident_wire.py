"""Reports and incidents as JSON."""

from typing import Literal

from pydantic import BaseModel, Field

from server.http.approvals import approval_wire
from server.http.wire import Listed, Reference, StrictBody
from server.services.incidents.incidents import NamedIncident, agents_json, incident_json
from server.services.incidents.reports import Report, ReportResult
from server.services.policy.displays import rfc3339

_ScopeWord = Literal["agent", "every_agent"]


class SignedReport(StrictBody):
    """A denial signed as suspicious (compact JWS), the agents to quarantine, and a note."""

    decision: str = Field(max_length=16_384)
    scope: _ScopeWord = "agent"
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


class ReportResponse(BaseModel):
    """The result of a report."""

    incident: str
    scope: _ScopeWord
    opened_at: str
    agents: list[ReportedAgent]
    approval: approval_wire.Approval


class AgentSecret(BaseModel):
    """Information about a secret of an agent. It does not include the secret."""

    id: str
    hint: str
    last_used_at: str | None


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
    asked_at: str


class LogEvidence(BaseModel):
    """The checkpoint that a device saved, and the checkpoint or promise that contradicts it."""

    kept: str
    shown: str


class Incident(BaseModel):
    """Why agents were quarantined or the audit log is not trusted, with the evidence.

    `signed` is what the person's device signed. If `cause` is not `reported`, the members of
    a report are null. Only `log_changed` has `log`.
    """

    id: str
    state: Literal["open", "closed"]
    cause: Literal["reported", "no_owner", "log_changed"]
    scope: _ScopeWord
    opened_at: str
    user: Reference | None
    device: str | None
    note: str | None
    approval: ApprovalEvidence | None
    agents: list[AgentEvidence]
    signed: str | None
    log: LogEvidence | None
    closed_at: str | None
    closed_by: str | None
    closing_note: str | None


class Incidents(Listed[Incident]):
    """A page of the list of incidents, newest first."""


def report_response(report_result: ReportResult, named_incident: NamedIncident) -> ReportResponse:
    """The result of a report as JSON."""
    return ReportResponse(
        incident=report_result.incident.id,
        scope=report_result.incident.scope,
        opened_at=rfc3339(report_result.incident.opened_at),
        agents=[ReportedAgent.model_validate(agent) for agent in agents_json(named_incident)],
        approval=approval_wire.approval(report_result.approval),
    )


def incident(named_incident: NamedIncident) -> Incident:
    """An incident as JSON."""
    return Incident.model_validate(incident_json(named_incident))
