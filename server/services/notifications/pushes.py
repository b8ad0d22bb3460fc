"""Web push messages: their contents at the time of delivery, and their results (RFC 8030).

The unit of work that notifies a person queues one outbox message per browser, with the IDs of the
subscription and the request. This module decides at delivery whether it is still needed, and what
it contains. Never: deciding whether to notify (`attention.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.notifications import Push, PushSubscription
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol.approvals.states import State
from server.protocol.notifications import web_push
from server.protocol.notifications.web_push import PushContent
from server.protocol.policy.risks import Risk
from server.services.notifications import attention, notices, push_subscriptions
from server.services.notifications.attention import ASK, CHECK, COPIED, DORMANT, ENDED, TEST
from server.services.users import user_checks

MAX_COUNTED: Final = 20
"""A push counts up to this many pending requests; a larger number means that there are more."""
TEST_MS: Final = 5 * 60_000
"""The TTL of a test message."""
DORMANT_MS: Final = 14 * 24 * 60 * 60_000
"""A browser without an open page for this long gets one warning."""
CHECK_MS: Final = 7 * 24 * 60 * 60_000
"""A browser without any contact for this long gets a check message."""
_WARNING_MS: Final = 3 * 24 * 60 * 60_000
_DAY_MS: Final = 24 * 60 * 60_000
_BATCH: Final = 100
_TTLS_MS: Final[Mapping[str, int]] = {
    TEST: TEST_MS,
    DORMANT: _WARNING_MS,
    CHECK: _WARNING_MS,
    ENDED: _WARNING_MS,
    COPIED: _WARNING_MS,
}
"""The messages that are not about a request → their TTL."""


@dataclass(frozen=True, slots=True)
class Pushes:
    """Prepares web push messages, and records their results."""

    store: Store
    secrets: Secrets

    def prepare(self, message: str) -> Push | None:
        """Return the push to send; None if it is no longer needed or has no recipient."""
        kind, subscription_id, approval_id = _parse(message)
        with self.store.read() as view:
            subscription = _active_subscription(view, subscription_id, ended=kind == ENDED)
            if subscription is None:
                return None
            content = _content(view, subscription, kind, approval_id)
        if content is None:
            return None
        return Push(
            address=push_subscriptions.address_of(self.secrets, subscription),
            payload=web_push.payload(content),
            ttl=max(1, (content.until - content.at) // 1000),
            urgency=web_push.urgency(content.risk),
            topic=web_push.topic(content.subject or content.kind),
        )

    def remove_subscription(self, message: str) -> None:
        """Remove a subscription that the push service no longer knows, and notify the user."""
        with self.store.write() as tx:
            subscription = tx.pushes.get(_parse(message)[1])
            if subscription is not None:
                push_subscriptions.record_loss(tx, subscription)

    def record_delivery(self, tx: Unit, message: str) -> None:
        """Record that the push service accepted the message."""
        tx.pushes.record_delivery(_parse(message)[1], tx.now)

    def record_failure(self, tx: Unit, message: str, why: str) -> None:
        """Record why delivery was abandoned, and raise an alarm at most once a day."""
        subscription = tx.pushes.get(_parse(message)[1])
        if subscription is None:
            return
        tx.pushes.add_problem(subscription.id, why)
        if tx.counters.count(f"push refused:{subscription.origin}", _DAY_MS) == 1:
            notices.alarm(tx, "alarm.push_lost", service=subscription.origin, why=why)


def warn(tx: Unit) -> None:
    """Warn browsers that had no open page for two weeks, before their push service removes them."""
    for push in tx.pushes.dormant(tx.now - DORMANT_MS, _BATCH):
        attention.push(tx, push.origin, push.id, DORMANT)
        tx.pushes.mark_warned(push.id, tx.now)


def check(tx: Unit) -> None:
    """Send a check message to browsers without an open page or a push for a week.

    It detects lost subscriptions before an important request. Browsers require a notification for
    every push, so the message says that it is a check, and is sent outside of quiet hours.
    """
    for push in tx.pushes.silent(tx.now - CHECK_MS, _BATCH):
        hours = tx.attention.quiet_hours(push.user_id)
        if hours is None or attention.quiet_until(hours, tx.now) is None:
            attention.push(tx, push.origin, push.id, CHECK)
            tx.pushes.mark_checked(push.id, tx.now)


def _parse(message: str) -> tuple[str, str, str]:
    members = json.loads(message)
    return members["kind"], members["push"], members["approval"]


def _active_subscription(
    view: View, subscription_id: str, *, ended: bool
) -> PushSubscription | None:
    """Return the subscription if its user is enabled and its device active (known, if `ended`)."""
    subscription = view.pushes.get(subscription_id)
    if subscription is None:
        return None
    device = view.devices.get(subscription.device_id)
    user = user_checks.find_enabled(view, subscription.user_id)
    is_reachable = device is not None and (ended or device.state == "active")
    return subscription if is_reachable and user is not None else None


def _content(
    view: View, subscription: PushSubscription, kind: str, approval_id: str
) -> PushContent | None:
    now = view.now
    if kind in _TTLS_MS:
        return PushContent(
            kind, "", Risk.LOW, until=now + _TTLS_MS[kind], waiting=0, step=0, at=now
        )
    assert kind == ASK  # noqa: S101  # `attention.py` queues no other
    pending = view.approvals.waiting(subscription.user_id, now, MAX_COUNTED + 1)
    approval = view.approvals.get(approval_id)
    if approval is None or not pending or not _is_pending(approval, pending, now):
        return None
    highest = max((approval, *pending), key=lambda request: request.risk.rank)
    return PushContent(
        kind,
        approval.id,
        Risk(highest.risk),
        until=approval.expires_at,
        waiting=len(pending),
        step=approval.escalated,
        at=now,
    )


def _is_pending(approval: Approval, pending: list[Approval], now: int) -> bool:
    """Return whether the person can still answer it. `pending` may be truncated."""
    if any(waiting.id == approval.id for waiting in pending):
        return True
    is_open = approval.state is State.PENDING and approval.expires_at > now
    return is_open and len(pending) > MAX_COUNTED
