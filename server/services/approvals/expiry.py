"""Expires approvals that nobody answered or redeemed, and deletes expired rows."""

from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.store import Store, Unit
from server.protocol.approvals.outcomes import NOT_REDEEMED
from server.protocol.approvals.states import State
from server.services.audit import audit, floods
from server.services.notifications import notices, pushes
from server.services.standing_grants import uses

_BATCH_SIZE = 200
_DAY_MS: Final = 24 * 60 * 60 * 1000
FEED_KEPT_MS: Final = 7 * _DAY_MS
OUTBOX_KEPT_MS: Final = 7 * _DAY_MS
DEAD_KEPT_MS: Final = 30 * _DAY_MS
"""How long `doctor` and administrators see messages that were never delivered."""


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Expires overdue approvals. Correctness does not depend on it: readers check deadlines."""

    store: Store

    def round(self) -> int:
        """Expire one batch of approvals; return how many expired.

        Each approval is its own unit of work. In one unit, standing grants would be locked in the
        order of their approvals, and a unit that ends several grants would deadlock with it.
        """
        with self.store.read() as view:
            approvals = view.approvals.overdue(view.now, _BATCH_SIZE)
        return sum(self._expire(approval.id) for approval in approvals)

    def _expire(self, approval_id: str) -> bool:
        """Expire an approval if it is still overdue; return whether this call expired it."""
        with self.store.write() as tx:
            approval = tx.approvals.get(approval_id)
            if approval is None or not approval.is_overdue(tx.now):
                return False
            return expire(tx, approval) is not None

    def tidy(self) -> None:
        """Delete expired rows, record counted floods, and check push subscriptions."""
        with self.store.write() as tx:
            tx.approvals.delete_expired_answers(tx.now)
            floods.write_counts(tx)
            tx.pushes.prune()
            pushes.warn(tx)
            pushes.check(tx)
            for rows in tx.expiring:
                rows.prune(tx.now)
            tx.feed.prune(tx.now - FEED_KEPT_MS)
            tx.outbox.prune(tx.now - OUTBOX_KEPT_MS, dead_before=tx.now - DEAD_KEPT_MS)


def expire_if_overdue(tx: Unit, approval: Approval) -> Approval:
    """Expire an approval if it is overdue; return the current approval."""
    if not approval.is_overdue(tx.now):
        return approval
    return expire(tx, approval) or tx.approvals.get(approval.id) or approval


def expire(tx: Unit, approval: Approval) -> Approval | None:
    """Expire an overdue approval; return None if its state has changed in the meantime."""
    reason = _expiry_reason(tx, approval)
    uses.lock_grant(tx, approval)
    expired = tx.approvals.transition(approval, State.EXPIRED, now=tx.now, reason=reason)
    if expired is None:
        return None
    uses.release(tx, expired)
    tx.audit.add(
        audit.approval_entry(
            expired,
            audit.Type.APPROVAL_EXPIRED,
            decision="expired",
            cause=reason,
            facts={
                "polls": expired.polls,
                "delivered_at": expired.delivered_at,
                "seen_at": expired.seen_at,
            },
        ),
    )
    notices.approval(tx, expired, "approval.expired")
    return expired


def _expiry_reason(tx: Unit, approval: Approval) -> str:
    """Return why it expired, so that the agent learns whether anyone saw the request."""
    if approval.state is State.APPROVED:
        return NOT_REDEEMED
    if approval.seen_at is not None:
        return "expired_seen"
    approvers = tx.approvers.list_for(approval)
    if approvers and not any(
        tx.devices.active_count(approver.user_id, tx.now) for approver in approvers
    ):
        return "no_device"
    return "undeliverable" if approvers and approval.delivered_at is None else "expired_unseen"
