"""Ending open approvals because something that they stand on is gone."""

from collections.abc import Iterable

from server.protocol.states import State
from server.services import audit, notices
from server.services.ports import Unit
from server.services.records import Approval, Entry


def withdraw(tx: Unit, approvals: Iterable[Approval], *, reason: str, actor: str) -> int:
    """Cancel those that are still open, with an entry and an event each; returns how many."""
    return sum(_withdraw(tx, approval, reason, actor) for approval in approvals)


def _withdraw(tx: Unit, approval: Approval, reason: str, actor: str) -> bool:
    moved = tx.approvals.move(approval.id, State.CANCELLED, now=tx.now, reason=reason)
    if moved is None:
        return False
    audit.record(
        tx,
        Entry(
            type=audit.Type.APPROVAL_CANCELLED,
            actor=actor,
            agent_id=moved.agent_id,
            subject=moved.user_id,
            resource=moved.resource,
            action=moved.action_digest,
            decision="cancelled",
            posture=moved.risk,
            cause=reason,
            approval_id=moved.id,
        ),
    )
    notices.approval(tx, moved, "approval.cancelled")
    return True
