"""Requests as JSON for administrators."""

from typing import Any, Literal

from server.http.approvals.approval_wire import DecidedBy, DeviceDelivery, decided_by, devices
from server.http.approvals.execution_wire import ExecutionStatus, execution
from server.http.approvals.narrowing_wire import GrantedAction, granted
from server.http.audit import audit_wire
from server.http.wire import (
    Listed,
    RecordResponse,
    Reference,
    RiskWord,
    StrictBody,
    Text,
    Time,
)
from server.model.granted import headline
from server.protocol.approvals import decisions
from server.services.approvals.oversight import NamedApproval


class Cancellation(StrictBody):
    """The reason for canceling a request. The approver and the audit log receive it."""

    reason: Text


class Escalation(StrictBody):
    """The additional approver, by name, email address or ID."""

    to: Text


class DecisionRecord(RecordResponse):
    """A signed answer as the server stores it."""

    decision: Literal["approve", "deny", "withdraw"]
    user: str
    device: str
    code: str | None
    note: str | None
    private_note: str | None
    retry_at: Time | None
    ask: str | None
    reason: str | None
    ceremony: str
    channel: str
    jws: str
    at: Time


class ManagedApproval(RecordResponse):
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
    created_at: Time
    expires_at: Time
    seen_at: Time | None
    decided_at: Time | None


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
    return ManagedApproval.of(named_approval.approval, **_shared(named_approval))


def approval_details(named_approval: NamedApproval) -> ApprovalDetails:
    """A request with all details as JSON."""
    return ApprovalDetails.of(
        named_approval.approval,
        **_shared(named_approval),
        decided_by=decided_by(named_approval.approval),
        execution=execution(named_approval.execution),
        granted=granted(named_approval.approval),
        decisions=[
            DecisionRecord.of(
                decision, user=decision.user_id, device=decision.device_id, ask=decision.ask_user
            )
            for decision in named_approval.decisions
        ],
        devices=devices(named_approval.deliveries) or [],
        entries=[audit_wire.entry(logged) for logged in named_approval.entries],
    )


def _shared(named_approval: NamedApproval) -> dict[str, Any]:
    """The members of both responses that the record does not have in this form."""
    record = named_approval.approval
    return {
        "headline": headline(record),
        "fingerprint": decisions.fingerprint(record.action_digest),
        "agent": Reference(id=record.agent_id, name=named_approval.client_name),
        "caller": _caller(named_approval),
        "user": named_approval.user,
        "scope": record.scope.split(),
    }


def _caller(named_approval: NamedApproval) -> Reference | None:
    """The client whose call the agent handles."""
    client = named_approval.approval.caller_id
    return None if client is None else Reference(id=client, name=named_approval.caller_name or "")
