"""Decides whether to notify a person of a request or only list it, and queues web push messages.

Owns: the reasons not to notify, including rate limits against floods (counted in the database), and
what happens when a reason no longer applies. Never: omitting a request from a list.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from server.model.approvals import Approval
from server.model.notifications import Hold, Lane, RecentNotifications, Why
from server.model.policy import Hours
from server.model.store import Unit, View
from server.protocol.policy.risks import Risk
from server.services.server_policy import ServerPolicy
from server.services.zones import zone

REMINDER: Final = "approval.reminder"
DIGEST: Final = "approval.digest"
"""One notification for everything that rate limits held back."""
NOTIFYING_EVENTS: Final = frozenset({"approval.requested", REMINDER, DIGEST})
"""The events that notify a person. All others only update screens."""
_HELD_BACK: Final = frozenset({"reported", "held_back"})
"""The reasons that come from the agent's behavior, not from the person's settings."""
DIGEST_DELAYS_MS: Final[Mapping[Why, int]] = {"held_back": 60_000, "digest": 3_600_000}
"""The reasons that lead to a digest, and its delay."""
LimitReason = Literal["reported", "held_back", "digest"]
_LANES: Final[dict[Risk, Lane]] = {Risk.LOW: "low", Risk.MEDIUM: "medium"}
WEB_PUSH: Final = "web_push"
"""The outbox channel of web push; its targets are the origins of push services."""
ASK: Final = "ask"
TEST: Final = "test"
DORMANT: Final = "dormant"
CHECK: Final = "check"
ENDED: Final = "ended"
"""Someone else revoked one of this person's devices. It is that device's last message."""
COPIED: Final = "copied"
"""A copy of one of the person's passkeys may be in use."""
PushKind: TypeAlias = Literal["ask", "test", "dormant", "check", "ended", "copied"]


class HeldNotification(NamedTuple):
    """Why a person is not notified now, and until when; None means not at all."""

    why: Why
    until: int | None


def hold_reason(
    tx: Unit, approval: Approval, user_id: str, policy: ServerPolicy
) -> HeldNotification | None:
    """Return why this person is not notified of this request now; None if they are notified.

    1. The person's settings, except for high and critical risk and for what they started.
    2. The rate limits, for everything.
    """
    if (notification := held_by_settings(tx, approval, user_id)) is not None:
        return notification
    reason = exceeded_limit(tx, approval, user_id, policy)
    return None if reason is None else HeldNotification(reason, None)


def held_by_settings(tx: Unit, approval: Approval, user_id: str) -> HeldNotification | None:
    """Return the first personal setting that holds a notification: mute, snooze, quiet hours."""
    if approval.risk.rank >= Risk.HIGH.rank or approval.kind != "action":
        return None
    preferences = tx.attention.preferences(user_id, approval.agent_id, approval.id, tx.now)
    if preferences.muted:
        return HeldNotification("muted", None)
    hold, hours = preferences.hold, preferences.quiet
    if hold is not None and hold.why not in DIGEST_DELAYS_MS:
        return HeldNotification(hold.why, hold.until)
    until = None if hours is None else quiet_until(hours, tx.now)
    return None if until is None else HeldNotification("quiet_hours", until)


def notify(
    tx: Unit,
    approval: Approval,
    user_id: str,
    event: str,
    policy: ServerPolicy,
    *,
    phantom: bool = False,
) -> bool:
    """Add an event to a person's feed, and push it unless it is held. Returns whether it notifies.

    A held event is marked as such. If the reason ends before the request expires, the person is
    notified then. For a phantom, a user who does not exist, it takes as long and notifies nobody:
    writes that would refer to the user are replaced by reads.
    """
    reason = hold_reason(tx, approval, user_id, policy)
    if reason is None:
        count_notification(tx, approval, user_id)
        tx.feed.add(user_id, event, approval_id=approval.id)
        push_all(tx, user_id, ASK, approval.id)
        return not phantom
    tx.feed.add(user_id, event, approval_id=approval.id, not_notified_because=reason.why)
    if not phantom and reason.until is not None and reason.until < approval.expires_at:
        store_hold(tx, Hold(approval.id, user_id, reason.until, reason.why))
    if reason.why in _HELD_BACK:
        if phantom or user_id == approval.user_id:
            tx.approvals.hold_back(approval.id)
        else:
            tx.approvers.hold_back(approval.id, user_id)
    if reason.why in DIGEST_DELAYS_MS:
        due = tx.now + DIGEST_DELAYS_MS[reason.why]
        _schedule_digest(tx, Hold(approval.id, user_id, due, reason.why), phantom=phantom)
    return False


def store_hold(tx: Unit, hold: Hold) -> None:
    """Add or replace a hold. A digest that it replaces moves to a request without a hold."""
    lock(tx, hold.user_id)
    holds = {stored.approval_id: stored for stored in tx.attention.holds(hold.user_id, tx.now)}
    tx.attention.hold(hold)
    replaced = holds.get(hold.approval_id)
    if replaced is None or replaced.why not in DIGEST_DELAYS_MS:
        return
    pending = tx.approvals.waiting(hold.user_id, tx.now, len(holds) + 1)
    free = next((approval.id for approval in pending if approval.id not in holds), None)
    if free is not None:
        tx.attention.hold(replace(replaced, approval_id=free))


def current_holds(view: View, user_id: str) -> tuple[Hold, ...]:
    """Return the person's current holds, except those of digests."""
    holds = view.attention.holds(user_id, view.now)
    return tuple(hold for hold in holds if hold.why not in DIGEST_DELAYS_MS)


def _schedule_digest(tx: Unit, due: Hold, *, phantom: bool) -> None:
    """Schedule a digest, unless an earlier one is due; one digest covers everything."""
    scheduled = [
        hold for hold in tx.attention.holds(due.user_id, tx.now) if hold.why in DIGEST_DELAYS_MS
    ]
    if phantom or any(hold.until <= due.until for hold in scheduled):
        return
    for hold in scheduled:
        tx.attention.unhold(hold.user_id, hold.approval_id)
    tx.attention.hold(due)


def halfway(start: int, end: int) -> int:
    """Return when a request's next reminder or escalation is due."""
    return (start + end) // 2


def quiet_until(hours: Hours, now: int) -> int | None:
    """Return the end of the current quiet hours, in ms; None outside of quiet hours."""
    timezone = zone(hours.zone)
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(timezone).date()
    for day in (today, today - timedelta(days=1)):
        if day.weekday() in hours.days:
            last = day if hours.begins < hours.ends else day + timedelta(days=1)
            begins = _to_ms(datetime.combine(day, hours.begins, timezone))
            ends = _to_ms(datetime.combine(last, hours.ends, timezone))
            if begins <= now < ends:
                return ends
    return None


def _to_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def lock(tx: Unit, user_id: str) -> None:
    """Lock a person's limits and holds. To avoid deadlocks, lock several people in order of ID."""
    tx.lock(f"attention {user_id}")


def exceeded_limit(
    tx: Unit, approval: Approval, user_id: str, policy: ServerPolicy
) -> LimitReason | None:
    """Return the limit that this notification exceeds; None if there is none.

    Each risk lane is counted separately.  1. Requests from an agent that the person reported do
    not notify them.  2. Low-risk requests notify occasionally, and a digest covers the rest.
    3. Other requests notify until a limit is reached.
    """
    lock(tx, user_id)
    lane = _lane(approval)
    recent = tx.notifications.recent(user_id, approval.agent_id, _types(approval), lane)
    if recent.reported:
        return "reported"
    if lane == "low":
        return "digest" if recent.hour >= policy.notify_low_per_hour else None
    is_over = _agent_is_over(recent, policy) if lane == "urgent" else _is_over(recent, policy)
    return "held_back" if is_over else None


def count_notification(tx: Unit, approval: Approval, user_id: str) -> None:
    """Count one notification to this person."""
    tx.notifications.add(user_id, approval.agent_id, _types(approval), _lane(approval))


def _agent_is_over(recent: RecentNotifications, policy: ServerPolicy) -> bool:
    """Check the limit for high and critical risk, which is counted per agent."""
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
    """Return the lane of a request; at least medium if the person started the request."""
    lane = _LANES.get(approval.risk, "urgent")
    return "medium" if lane == "low" and approval.kind != "action" else lane


def _types(approval: Approval) -> str:
    """Return the action types of a request as one string; "" for scopes only."""
    return " ".join(sorted({item["type"] for item in json.loads(approval.details)}))


def push_all(tx: Unit, user_id: str, kind: PushKind, approval_id: str = "") -> None:
    """Push a message to all browsers of a person."""
    for subscription_id, origin in tx.pushes.targets(user_id):
        push(tx, origin, subscription_id, kind, approval_id)


def push(
    tx: Unit, origin: str, subscription_id: str, kind: PushKind, approval_id: str = ""
) -> None:
    """Queue one message to one browser."""
    message = {"kind": kind, "push": subscription_id, "approval": approval_id}
    tx.outbox.add(WEB_PUSH, origin, json.dumps(message))
