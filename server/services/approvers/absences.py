"""When an approver is available again, if all approvers of a request receive no notifications now.

Owns: the time that the agent receives. Never: deciding whether to notify anyone (`attention.py`).
"""

from server.model.approvals import Approval
from server.model.store import Unit
from server.services.notifications import attention
from server.services.notifications.attention import HeldNotification


def available_at(tx: Unit, approval: Approval) -> int | None:
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
