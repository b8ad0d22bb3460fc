"""An approval request as JSON for its approvers."""

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from pydantic import BaseModel

from server.http.approvals import decision_wire, execution_wire, narrowing_wire
from server.http.wire import Listed, Reference, RiskWord
from server.model.approval_views import ApproverView
from server.model.approvals import Approval as ApprovalRecord
from server.model.approvals import Delivery, automatic_decision
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.approvals.unusual import Unusual
from server.protocol.times import rfc3339, rfc3339_or_none
from server.services.approvals import extensions, retries
from server.services.approvals.inbox import ApprovalPage
from server.services.standing_grants import uses

_CURSOR = re.compile(r"[0-9]{1,18}\.[A-Za-z0-9_]{1,64}")


class SupersededRequest(BaseModel):
    """The earlier request that this request replaced."""

    id: str
    fingerprint: str


class Signal(BaseModel):
    """One reason why a request is unusual."""

    code: str
    severity: Literal["notice", "warning"]
    text: str


class UnusualSignals(BaseModel):
    """Every signal of a request, and what the request was compared with."""

    signals: list[Signal]
    compared: str


class DecidedByConsent(BaseModel):
    """The deciding consent, and the policy version."""

    consent: str
    policy: int


class DecidedByGrant(BaseModel):
    """The deciding standing grant, the number of its use, and the policy version."""

    standing_grant: str
    use: int
    policy: int


DecidedBy: TypeAlias = DecidedByConsent | DecidedByGrant


class DeviceDelivery(BaseModel):
    """When a device received, showed and answered a request."""

    id: str
    name: str
    delivered_at: str
    seen_at: str | None
    decided_at: str | None


class Approval(BaseModel):
    """A request for a person's decision. The digests are of `action` and `display` as sent."""

    id: str
    kind: Literal["action", "consent", "device", "app_device", "app_action", "standing_grant"]
    state: Literal["pending", "approved", "denied", "expired", "cancelled", "redeemed"]
    reason: str | None
    risk: RiskWord
    ceremony: str
    agent: Reference
    action: str
    display: str
    action_digest: str
    display_digest: str
    created_at: str
    expires_at: str
    over_at: str | None
    held_back: bool
    supersedes: SupersededRequest | None
    decided: decision_wire.DecisionDetails | None
    decided_by: DecidedBy | None = None
    granted: narrowing_wire.GrantedAction | None = None
    extensions_left: int | None
    retry: Literal["possible", "asked"] | None
    execution: execution_wire.ExecutionStatus | None = None
    nonce: str | None = None
    vote_tally: decision_wire.VoteTally | None = None
    tries_left: dict[str, int] | None = None
    devices: list[DeviceDelivery] | None = None
    unusual: UnusualSignals | None = None


class Approvals(Listed[Approval]):
    """A page of the list of requests."""

    feed_cursor: int
    server_time: str


def approval(approver_view: ApproverView) -> Approval:
    """An approval as JSON."""
    record = approver_view.approval
    return Approval(
        id=record.id,
        kind=record.kind,
        state=str(record.state),  # type: ignore[arg-type]  # the states are these words
        reason=record.reason,
        risk=str(record.risk),  # type: ignore[arg-type]  # the risks are these words
        ceremony=record.ceremony,
        agent=Reference(id=record.agent_id, name=approver_view.agent_name),
        action=record.action,
        display=record.display,
        action_digest=record.action_digest,
        display_digest=record.display_digest,
        created_at=rfc3339(record.created_at),
        expires_at=rfc3339(record.expires_at),
        over_at=rfc3339_or_none(record.decided_at),
        held_back=approver_view.held_back,
        supersedes=superseded(approver_view.supersedes),
        decided=decision_wire.decided(approver_view),
        decided_by=decided_by(record),
        granted=narrowing_wire.granted(record),
        extensions_left=extensions.extensions_left(record),
        retry=retries.retry_status(record),
        execution=execution_wire.execution(approver_view.execution),
        nonce=approver_view.nonce,
        vote_tally=decision_wire.vote_tally(approver_view.tally),
        tries_left=_attempts_left(approver_view),
        devices=devices(approver_view.deliveries),
        unusual=unusual_signals(approver_view.unusual),
    )


def _attempts_left(approver_view: ApproverView) -> dict[str, int] | None:
    attempts = approver_view.tries_left
    return None if attempts is None else {str(step): count for step, count in attempts.items()}


def approvals(page: ApprovalPage) -> Approvals:
    """A page of approvals as JSON; `next` is an opaque cursor."""
    next_cursor = None if page.next is None else f"{page.next[0]}.{page.next[1]}"
    return Approvals(
        items=[approval(item) for item in page.items],
        next=next_cursor,
        feed_cursor=page.feed_cursor,
        server_time=rfc3339(page.now),
    )


def read_cursor(text: str | None) -> tuple[int, str] | None:
    """Parse the cursor of a list. Raises errors.Problem 422."""
    if not text:
        return None
    if not _CURSOR.fullmatch(text):
        raise errors.invalid_body("cursor must be the `next` value of an earlier response.")
    moment, _, last = text.partition(".")
    return int(moment), last


def superseded(earlier: ApprovalRecord | None) -> SupersededRequest | None:
    """An earlier request as JSON."""
    if earlier is None:
        return None
    return SupersededRequest(
        id=earlier.id, fingerprint=decisions.fingerprint(earlier.action_digest)
    )


def unusual_signals(unusual: Unusual | None) -> UnusualSignals | None:
    """The current signals as JSON; None if those in the display text still apply."""
    if unusual is None:
        return None
    signals = [
        Signal(code=str(signal.code), severity=signal.severity.value, text=signal.text)
        for signal in unusual.signals
    ]
    return UnusualSignals(signals=signals, compared=unusual.compared)


def decided_by(record: ApprovalRecord) -> DecidedBy | None:
    """The consent or grant that decided; None if a person decided or no one has."""
    decided_by = automatic_decision(record)
    if decided_by is None:
        return None
    kind = DecidedByGrant if uses.is_decided_by_grant(record) else DecidedByConsent
    return kind.model_validate(decided_by)


def devices(deliveries: Iterable[Delivery] | None) -> list[DeviceDelivery] | None:
    """The deliveries to each device; None if the viewer may not see them."""
    return None if deliveries is None else [_device(device) for device in deliveries]


def _device(delivery: Delivery) -> DeviceDelivery:
    return DeviceDelivery(
        id=delivery.device_id,
        name=delivery.device_name,
        delivered_at=rfc3339(delivery.delivered_at),
        seen_at=rfc3339_or_none(delivery.seen_at),
        decided_at=rfc3339_or_none(delivery.decided_at),
    )
