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
from server.services.approvals.oversight import NamedApproval
from server.services.policy.displays import moment, rfc3339


class Cancellation(StrictBody):
    """Why a request is canceled; the agent and the audit log get it."""

    reason: Text


class Escalation(StrictBody):
    """The additional approver, by name, email address or id."""

    to: Text


class DecisionRecord(BaseModel):
    """A signed answer as it is stored."""

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
    """A request. If it was narrowed, the headline begins with what was granted."""

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


def approval(seen: NamedApproval) -> ManagedApproval:
    """A request as JSON."""
    return ManagedApproval(**_approval(seen))


def approval_details(seen: NamedApproval) -> ApprovalDetails:
    """A request with all details as JSON."""
    return ApprovalDetails(
        **_approval(seen),
        action=seen.approval.action,
        display=seen.approval.display,
        action_digest=seen.approval.action_digest,
        display_digest=seen.approval.display_digest,
        decided_by=decided_by(seen.approval),
        execution=execution(seen.execution),
        granted=granted(seen.approval),
        decisions=[_answer(decision) for decision in seen.decisions],
        devices=devices(seen.deliveries) or [],
        entries=[entry(logged) for logged in seen.entries],
    )


def _approval(seen: NamedApproval) -> dict[str, Any]:
    record = seen.approval
    return {
        "id": record.id,
        "kind": record.kind,
        "state": str(record.state),
        "reason": record.reason,
        "risk": str(record.risk),
        "headline": headline(record),
        "fingerprint": decisions.fingerprint(record.action_digest),
        "agent": Reference(id=record.agent_id, name=seen.client_name),
        "caller": _caller(seen),
        "user": Reference(id=seen.user.id, name=seen.user.name) if seen.user else None,
        "supersedes": record.supersedes,
        "resource": record.resource,
        "scope": record.scope.split(),
        "created_at": rfc3339(record.created_at),
        "expires_at": rfc3339(record.expires_at),
        "seen_at": moment(record.seen_at),
        "decided_at": moment(record.decided_at),
    }


def _caller(seen: NamedApproval) -> Reference | None:
    """The client whose call the agent handles."""
    client = seen.approval.caller_id
    return None if client is None else Reference(id=client, name=seen.caller_name or "")


def _answer(record: Decision) -> DecisionRecord:
    return DecisionRecord(
        decision=record.decision,
        user=record.user_id,
        device=record.device_id,
        code=record.code,
        note=record.note,
        private_note=record.private_note,
        retry_at=moment(record.retry_at),
        ask=record.ask_user,
        reason=record.reason,
        ceremony=record.ceremony,
        channel=record.channel,
        jws=record.jws,
        at=rfc3339(record.at),
    )
