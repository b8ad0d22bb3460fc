"""An approval request as JSON for its approvers."""

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from pydantic import BaseModel

from server.http.approvals import decision_wire, execution_wire, narrowing_wire
from server.http.wire import Listed, RecordResponse, Reference, RiskWord, Time
from server.model.approval_views import ApproverView
from server.model.approvals import Approval as ApprovalRecord
from server.model.approvals import Delivery, automatic_decision
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.times import rfc3339
from server.services.approvals import extensions, retries
from server.services.approvals.inbox import ApprovalPage
from server.services.standing_grants import uses

_CURSOR = re.compile(r"[0-9]{1,18}\.[A-Za-z0-9_]{1,64}")


class SupersededRequest(BaseModel):
    """The earlier request that this request replaced."""

    id: str
    fingerprint: str


class Signal(RecordResponse):
    """One reason why a request is unusual."""

    code: str
    severity: Literal["notice", "warning"]
    text: str


class UnusualSignals(RecordResponse):
    """Every signal of a request, and what the request was compared with."""

    signals: list[Signal]
    compared: str


class DecidedByConsent(BaseModel):
    """The deciding consent, and the policy version."""

    consent: str
    policy: int


class DecidedByGrant(BaseModel):
    """The deciding standing grant, its use number, and the policy version."""

    standing_grant: str
    use: int
    policy: int


DecidedBy: TypeAlias = DecidedByConsent | DecidedByGrant


class DeviceDelivery(RecordResponse):
    """When a device received, showed and answered a request."""

    id: str
    name: str
    delivered_at: Time
    seen_at: Time | None
    decided_at: Time | None


class Approval(RecordResponse):
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
    created_at: Time
    expires_at: Time
    over_at: Time | None
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
    return Approval.of(
        record,
        agent=Reference(id=record.agent_id, name=approver_view.agent_name),
        over_at=record.decided_at,
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
        tries_left=approver_view.tries_left,
        devices=devices(approver_view.deliveries),
        unusual=approver_view.unusual,
    )


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


def decided_by(record: ApprovalRecord) -> DecidedBy | None:
    """The consent or grant that decided; None if a person decided or no one has."""
    decided_by = automatic_decision(record)
    if decided_by is None:
        return None
    kind = DecidedByGrant if uses.is_decided_by_grant(record) else DecidedByConsent
    return kind.model_validate(decided_by)


def devices(deliveries: Iterable[Delivery] | None) -> list[DeviceDelivery] | None:
    """The deliveries to each device; None if the viewer may not see them."""
    if deliveries is None:
        return None
    return [
        DeviceDelivery.of(delivery, id=delivery.device_id, name=delivery.device_name)
        for delivery in deliveries
    ]
