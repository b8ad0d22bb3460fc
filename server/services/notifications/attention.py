"""Whether something about a request notifies a person, or is only listed.

Owns: the table of reasons for which nobody is notified, and what happens when a reason is over.
Never: whether a request is listed; it always is.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from server.model.approvals import Approval
from server.model.notifications import Hold, NotificationPreferences, Why
from server.model.policy import Hours
from server.model.store import Unit
from server.protocol.policy.risks import Risk
from server.services.notifications import budgets, push_targets
from server.services.server_policy import ServerPolicy
from server.services.zones import zone

REMINDER: Final = "approval.reminder"
DIGEST: Final = "approval.digest"
"""For everything that budgets held back, at once."""
RINGING: Final = frozenset({"approval.requested", REMINDER, DIGEST})
"""The events that notify somebody; all others only change what is on the screen."""
_HELD_BACK: Final = frozenset({"reported", "held_back"})
"""Reasons that lie in who asks and how often, and not in what the person wants."""
DIGESTED: Final[Mapping[Why, int]] = MappingProxyType({"held_back": 60_000, "digest": 3_600_000})
"""What budgets hold back, and after how many milliseconds a digest tells of it."""


class HeldNotification(NamedTuple):
    """Nobody is notified now: why, and when they are after all; None for not at all."""

    why: Why
    until: int | None


class NotificationCandidate(NamedTuple):
    """Something about a request that could notify a person."""

    tx: Unit
    approval: Approval
    user_id: str
    wishes: NotificationPreferences


def _muted(case: NotificationCandidate) -> HeldNotification | None:
    return HeldNotification("muted", None) if case.wishes.muted else None


def _held(case: NotificationCandidate) -> HeldNotification | None:
    hold = case.wishes.hold
    return None if hold is None or hold.why in DIGESTED else HeldNotification(hold.why, hold.until)


def _quiet(case: NotificationCandidate) -> HeldNotification | None:
    hours = case.wishes.quiet
    until = None if hours is None else quiet_until(hours, case.tx.now)
    return None if until is None else HeldNotification("quiet_hours", until)


REASONS: Final[tuple[Callable[[NotificationCandidate], HeldNotification | None], ...]] = (
    _muted,
    _held,
    _quiet,
)
"""In order; the first that applies is the one that is told."""


def held(
    tx: Unit, approval: Approval, user_id: str, rules: ServerPolicy
) -> HeldNotification | None:
    """Why this person is not notified of this request now; None when they are.

    1. What the person wants, but for high and critical risk and for what they began themselves.
    2. How often they were notified lately; that counts for everything.
    """
    if (found := wished(tx, approval, user_id)) is not None:
        return found
    over = budgets.exceeded(tx, approval, user_id, rules)
    return None if over is None else HeldNotification(over, None)


def wished(tx: Unit, approval: Approval, user_id: str) -> HeldNotification | None:
    """Why this person wants not to be notified of it now; None when they do not say so."""
    if approval.risk.rank >= Risk.HIGH.rank or approval.kind != "action":
        return None
    wishes = tx.attention.wishes(user_id, approval.agent_id, approval.id, tx.now)
    case = NotificationCandidate(tx, approval, user_id, wishes)
    return next((found for reason in REASONS if (found := reason(case)) is not None), None)


def ring(tx: Unit, approval: Approval, user_id: str, event: str, rules: ServerPolicy) -> bool:
    """Put an event that notifies on one person's screens, marked if it must not; reports which.

    What notifies calls their browsers too.

    What waits for the end of something rings then, if the request still waits for its answer.
    """
    reason = held(tx, approval, user_id, rules)
    if reason is None:
        budgets.count(tx, approval, user_id)
        tx.feed.add(user_id, event, approval_id=approval.id)
        push_targets.ring(tx, user_id, approval.id)
        return True
    tx.feed.add(user_id, event, approval_id=approval.id, held=reason.why)
    if reason.until is not None and reason.until < approval.expires_at:
        tx.attention.hold(Hold(approval.id, user_id, reason.until, reason.why))
    if reason.why in _HELD_BACK:
        _hold_back(tx, approval, user_id)
    if reason.why in DIGESTED:
        _owe(tx, Hold(approval.id, user_id, tx.now + DIGESTED[reason.why], reason.why))
    return False


def rehearse(tx: Unit, approval: Approval, user_id: str, event: str, rules: ServerPolicy) -> bool:
    """Do for a phantom what `ring` does for a user, so that it takes as long; nobody is called.

    Writes that would refer to a user are replaced by reads.
    """
    reason = held(tx, approval, user_id, rules)
    if reason is None:
        budgets.count(tx, approval, user_id)
        tx.feed.add(user_id, event, approval_id=approval.id)
        push_targets.ring(tx, user_id, approval.id)
        return False
    tx.feed.add(user_id, event, approval_id=approval.id, held=reason.why)
    if reason.why in _HELD_BACK:
        tx.approvals.hold_back(approval.id)
    if reason.why in DIGESTED:
        tx.attention.holds(user_id, tx.now)
    return False


def _hold_back(tx: Unit, approval: Approval, user_id: str) -> None:
    if user_id == approval.user_id:
        tx.approvals.hold_back(approval.id)
    else:
        tx.approvers.hold_back(approval.id, user_id)


def _owe(tx: Unit, due: Hold) -> None:
    """One digest is due to a person, and tells of everything: the earliest stands for all."""
    owed = [one for one in tx.attention.holds(due.user_id, tx.now) if one.why in DIGESTED]
    if any(one.until <= due.until for one in owed):
        return
    for one in owed:
        tx.attention.unhold(one.user_id, one.approval_id)
    tx.attention.hold(due)


def quiet_until(hours: Hours, now: int) -> int | None:
    """When the quiet hours end in which this moment lies, in ms; None if it lies in none."""
    here = zone(hours.zone)
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(here).date()
    for day in (today, today - timedelta(days=1)):
        if day.weekday() in hours.days:
            last = day if hours.begins < hours.ends else day + timedelta(days=1)
            begins = _ms(datetime.combine(day, hours.begins, here))
            ends = _ms(datetime.combine(last, hours.ends, here))
            if begins <= now < ends:
                return ends
    return None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
