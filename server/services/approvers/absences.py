"""When somebody is back who is asked about a request, while all of them want to be left alone.

Owns: that moment, which the agent is told. Never: whether anybody is notified (`attention.py`).
"""

from server.model.approvals import Approval
from server.model.store import Unit
from server.services.notifications import attention
from server.services.notifications.attention import HeldNotification


def back_at(tx: Unit, approval: Approval) -> int | None:
    """When the first of them is notified again, in ms since the epoch.

    None while anybody is notified, and where none of them has said until when.
    """
    asked = [one.user_id for one in tx.approvers.asked(approval) if one.approves]
    ends = []
    for user_id in asked:
        held = attention.held_by_settings(tx, approval, user_id)
        if held is None:
            return None
        ends.append(_until(tx, approval, user_id, held))
    return min((end for end in ends if end is not None), default=None)


def _until(tx: Unit, approval: Approval, user_id: str, held: HeldNotification) -> int | None:
    """The end of a mute stands with the mute."""
    if held.why != "muted":
        return held.until
    mutes = tx.attention.mutes(user_id, tx.now)
    return next((one.until for one in mutes if one.agent_id == approval.agent_id), None)
