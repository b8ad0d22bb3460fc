"""The approvers of a request.

The user that the request is for is always an approver. Others are added when it is created, for
example as members of a group that policy names, or later, as a backup or deputy.
Owns: who may see and decide an approval. Never: counting votes (`votes.py`), or choosing approvers.
"""

from collections.abc import Iterable

from server.model.approvals import Approval, Approver
from server.model.approvers import NamedApprover
from server.model.store import Unit, View
from server.protocol import errors
from server.services.notifications import attention
from server.services.notifications.attention import HeldNotification
from server.services.server_policy import ServerPolicy


def find(view: View, approval: Approval, user_id: str) -> Approver | None:
    """Return the approver row of this user; None if they are not an approver of the request."""
    row = view.approvers.find_for(approval, user_id)
    return row if row is not None and _is_in_force(view, row) else None


def get_for_approver(view: View, approval_id: str, user_id: str) -> Approval:
    """Return the request if this user is one of its approvers. Raises errors.Problem 404."""
    approval = view.approvals.get(approval_id)
    if approval is None or find(view, approval, user_id) is None:
        raise errors.Problem(404, "not_found", "Request not found.")
    return approval


def store_approvers(
    tx: Unit, approval: Approval, approvers: Iterable[NamedApprover]
) -> list[Approver]:
    """Store approvers of a pending request; return the new ones."""
    rows = [_approver(tx, approval, approver) for approver in approvers]
    return [row for row in rows if tx.approvers.add(row)]


def add(
    tx: Unit, approval: Approval, named_approvers: Iterable[NamedApprover], policy: ServerPolicy
) -> list[Approver]:
    """Add approvers to a pending request and notify them; return the new ones."""
    approvers = store_approvers(tx, approval, named_approvers)
    for row in sorted(approvers, key=lambda row: row.user_id):  # as `notices.requested` does
        if row.user_id != approval.user_id:
            attention.notify(tx, approval, row.user_id, "approval.requested", policy)
    return approvers


def notified_again_at(tx: Unit, approval: Approval) -> int | None:
    """Return when the first approver is notified again, in milliseconds since the epoch.

    None if an approver is notified now, or if no approver has set an end time.
    """
    approver_ids = [
        approver.user_id for approver in tx.approvers.list_for(approval) if approver.approves
    ]
    ends = []
    for user_id in approver_ids:
        notification = attention.held_by_settings(tx, approval, user_id)
        if notification is None:
            return None
        ends.append(_release_time(tx, approval, user_id, notification))
    return min((end for end in ends if end is not None), default=None)


def _release_time(
    tx: Unit, approval: Approval, user_id: str, notification: HeldNotification
) -> int | None:
    """Return when the notification is released; for a muted agent, when the mute ends."""
    if notification.why != "muted":
        return notification.until
    mutes = tx.attention.mutes(user_id, tx.now)
    return next((mute.until for mute in mutes if mute.agent_id == approval.agent_id), None)


def _approver(tx: Unit, approval: Approval, approver: NamedApprover) -> Approver:
    return Approver(
        approval_id=approval.id,
        user_id=approver.user_id,
        why=approver.why,
        added_at=tx.now,
        ends_at=approval.expires_at,
        risk=approval.risk,
        approves=approver.approves,
        stands_for=approver.stands_for,
        group_id=approver.group_id,
    )


def _is_in_force(view: View, row: Approver) -> bool:
    """Return whether the row is in force; for a deputy, in their period or after they decided."""
    if row.why != "deputy" or row.over_at is not None or row.stands_for is None:
        return True
    return view.deputies.deciding(row.stands_for, row.user_id, view.now) is not None
