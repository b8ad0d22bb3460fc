"""Rate limits of notifications, which protect a person from floods.

Owns: what is counted, all in the database, and which risks are counted together. Never: other
reasons not to notify (`attention.py`), or hiding a request; all of them are listed.
"""

import json
from typing import Final, Literal

from server.model.approvals import Approval
from server.model.notifications import Lane, RecentNotifications
from server.model.store import Unit
from server.protocol.policy.risks import Risk
from server.services.server_policy import ServerPolicy

LimitReason = Literal["reported", "held_back", "digest"]
_LANES: Final[dict[Risk, Lane]] = {Risk.LOW: "low", Risk.MEDIUM: "medium"}


def exceeded(
    tx: Unit, approval: Approval, user_id: str, policy: ServerPolicy
) -> LimitReason | None:
    """The limit that this notification exceeds; None if there is none.

    Each lane of risks is counted separately.  1. An agent that the person reported does not notify
    them.  2. Low risk notifies occasionally, and a digest covers the rest.  3. Other risks notify
    until a limit is reached.
    """
    tx.lock(f"attention {user_id}")
    lane = _lane(approval)
    recent = tx.notifications.recent(user_id, approval.agent_id, _types(approval), lane)
    if recent.reported:
        return "reported"
    if lane == "low":
        return "digest" if recent.hour >= policy.notify_low_per_hour else None
    is_over = _agent_is_over(recent, policy) if lane == "urgent" else _is_over(recent, policy)
    return "held_back" if is_over else None


def count(tx: Unit, approval: Approval, user_id: str) -> None:
    """Count one notification of this person."""
    tx.notifications.add(user_id, approval.agent_id, _types(approval), _lane(approval))


def _agent_is_over(recent: RecentNotifications, policy: ServerPolicy) -> bool:
    """The check for high and critical risk, which is counted per agent."""
    return (
        recent.agent_minute >= policy.notify_per_minute
        or recent.agent_hour >= policy.notify_per_agent
    )


def _is_over(recent: RecentNotifications, policy: ServerPolicy) -> bool:
    return (
        recent.minute >= policy.notify_per_minute
        or recent.hour >= policy.notify_per_hour
        or recent.agent_hour >= policy.notify_per_agent
        or recent.type_hour >= policy.notify_per_type
    )


def _lane(approval: Approval) -> Lane:
    """The lane of a request. What the person started themselves is at least medium."""
    lane = _LANES.get(approval.risk, "urgent")
    return "medium" if lane == "low" and approval.kind != "action" else lane


def _types(approval: Approval) -> str:
    """The action types of a request as one text; "" for scopes only."""
    return " ".join(sorted({item["type"] for item in json.loads(approval.details)}))
