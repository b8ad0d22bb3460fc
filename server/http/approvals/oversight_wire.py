"""Requests as JSON for administrators."""

from typing import Any, Literal

from pydantic import BaseModel

from server.http.approvals.approval_wire import DecidedBy, DeviceDelivery, decided_by, devices
from server.http.approvals.execution_wire import ExecutionStatus, execution
from server.http.approvals.narrowing_wire import GrantedAction, granted
from server.http.audit import audit_wire
from server.http.audit.audit_wire import entry
from server.http.wire import Listed, Reference, RiskWord, StrictBody, Text
from server.model.approvals import Decision
from server.model.granted import headline
from server.protocol.approvals import decisions
from server.protocol.times import rfc3339, rfc3339_or_none
from server.services.approvals.oversight import NamedApproval


class Cancellation(StrictBody):
    """The reason for canceling a request. The agent and the audit log receive it."""

    reason: Text


class Escalation(StrictBody):
    """The additional approver, by name, email address or ID."""

    to: Text


class DecisionRecord(BaseModel):
    """A signed answer as the server stores it."""

    decision: Literal["approve", "deny", "withdraw"]
    user: str
    device: str
    code: str | None
    note: str | None
    private_note: str | None
    retry_at: str | None
    ask: str | None
    reason: str | None
    ceremony: str
    channel: str
    jws: str
    at: str


class ManagedApproval(BaseModel):
    """A request. If it was narrowed, the headline starts with what was granted."""

    id: str
    kind: str
    state: str
    reason: str | None
    risk: RiskWord
    headline: str
    fingerprint: str
    agent: Reference
    caller: Reference | None
    user: Reference | None
    supersedes: str | None
    resource: str
    scope: list[str]
    created_at: str
    expires_at: str
    seen_at: str | None
    decided_at: str | None


class ManagedApprovals(Listed[ManagedApproval]):
    """A page of the list of requests, newest first."""


class ApprovalDetails(ManagedApproval):
    """A request with its texts, answers and audit entries."""

    action: str
    display: str
    action_digest: str
    display_digest: str
    decided_by: DecidedBy | None
    execution: ExecutionStatus | None
    granted: GrantedAction | None
    decisions: list[DecisionRecord]
    devices: list[DeviceDelivery]
    entries: list[audit_wire.LogEntry]


def approval(named_approval: NamedApproval) -> ManagedApproval:
    """A request as JSON."""
    return ManagedApproval(**_approval(named_approval))


def approval_details(named_approval: NamedApproval) -> ApprovalDetails:
    """A request with all details as JSON."""
    return ApprovalDetails(
        **_approval(named_approval),
        action=named_approval.approval.action,
        display=named_approval.approval.display,
        action_digest=named_approval.approval.action_digest,
        display_digest=named_approval.approval.display_digest,
        decided_by=decided_by(named_approval.approval),
        execution=execution(named_approval.execution),
        granted=granted(named_approval.approval),
        decisions=[_answer(decision) for decision in named_approval.decisions],
        devices=devices(named_approval.deliveries) or [],
        entries=[entry(logged) for logged in named_approval.entries],
    )


def _approval(named_approval: NamedApproval) -> dict[str, Any]:
    record = named_approval.approval
    return {
        "id": record.id,
        "kind": record.kind,
        "state": str(record.state),
        "reason": record.reason,
        "risk": str(record.risk),
        "headline": headline(record),
        "fingerprint": decisions.fingerprint(record.action_digest),
        "agent": Reference(id=record.agent_id, name=named_approval.client_name),
        "caller": _caller(named_approval),
        "user": Reference(id=named_approval.user.id, name=named_approval.user.name)
        if named_approval.user
        else None,
        "supersedes": record.supersedes,
        "resource": record.resource,
        "scope": record.scope.split(),
        "created_at": rfc3339(record.created_at),
        "expires_at": rfc3339(record.expires_at),
        "seen_at": rfc3339_or_none(record.seen_at),
        "decided_at": rfc3339_or_none(record.decided_at),
    }


def _caller(named_approval: NamedApproval) -> Reference | None:
    """The client on whose call the agent acts."""
    client = named_approval.approval.caller_id
    return None if client is None else Reference(id=client, name=named_approval.caller_name or "")


def _answer(record: Decision) -> DecisionRecord:
    return DecisionRecord(
        decision=record.decision,
        user=record.user_id,
        device=record.device_id,
        code=record.code,
        note=record.note,
        private_note=record.private_note,
        retry_at=rfc3339_or_none(record.retry_at),
        ask=record.ask_user,
        reason=record.reason,
        ceremony=record.ceremony,
        channel=record.channel,
        jws=record.jws,
        at=rfc3339(record.at),
    )
