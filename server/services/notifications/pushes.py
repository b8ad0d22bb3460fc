"""Calling people's browsers: what is sent by web push, when it is about to leave (RFC 8030).

The unit of work that rings a person adds one message to the outbox for each of their browsers; it
names the browser and the request. Here is what becomes of it: whether anything is left to say, and
the few members that say it. Never: a reason to ring; `attention.py` has those for every screen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.notifications import Push, PushSubscription
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol.notifications import web_push
from server.protocol.notifications.web_push import PushAnswer
from server.protocol.policy.risks import Risk
from server.services.notifications import (
    attention,
    notices,
    push_losses,
    push_subscriptions,
    push_targets,
)
from server.services.notifications.push_targets import ASK, CHECK, COPIED, DORMANT, ENDED, TEST

MOST_COUNTED: Final = 20
"""A push counts so many requests that wait; it says of more that there are more."""
TEST_MS: Final = 5 * 60_000
"""So long a test may be on its way."""
DORMANT_MS: Final = 14 * 24 * 60 * 60_000
"""A browser in which nobody opened a page for so long is told, once."""
CHECK_MS: Final = 7 * 24 * 60 * 60_000
"""A browser of which nothing was heard for so long is asked whether it is still there."""
_WARNING_MS: Final = 3 * 24 * 60 * 60_000
_DAY_MS: Final = 24 * 60 * 60_000
_AT_ONCE: Final = 100
_ABOUT_NOTHING: Final[Mapping[str, int]] = {
    TEST: TEST_MS,
    DORMANT: _WARNING_MS,
    CHECK: _WARNING_MS,
    ENDED: _WARNING_MS,
    COPIED: _WARNING_MS,
}
"""What names no request, and how long it is worth saying."""


@dataclass(frozen=True, slots=True)
class Pushes:
    """Makes pushes of messages, and writes down what became of them."""

    store: Store
    secrets: Secrets

    def prepare(self, message: str) -> Push | None:
        """What to send; None when there is nothing to say any more, or nobody to say it to."""
        kind, subscription_id, approval_id = _read(message)
        with self.store.read() as view:
            subscription = _reachable(view, subscription_id, ended=kind == ENDED)
            if subscription is None:
                return None
            said = _said(view, subscription, kind, approval_id)
        if said is None:
            return None
        return Push(
            address=push_subscriptions.opened(self.secrets, subscription),
            payload=web_push.payload(said),
            ttl=max(1, (said.until - said.at) // 1000),
            urgency=web_push.urgency(said.risk),
            topic=web_push.topic(said.subject or said.kind),
        )

    def gone(self, message: str) -> None:
        """The push service knows this browser no more: its person is told."""
        with self.store.write() as tx:
            subscription = tx.pushes.get(_read(message)[1])
            if subscription is not None:
                push_losses.lose(tx, subscription)

    def arrived(self, tx: Unit, message: str) -> None:
        """The push service took it."""
        tx.pushes.delivered(_read(message)[1], tx.now)

    def lost(self, tx: Unit, message: str, why: str) -> None:
        """It was given up: the browser's row says why, and somebody is told once a day."""
        subscription = tx.pushes.get(_read(message)[1])
        if subscription is None:
            return
        tx.pushes.faulty(subscription.id, why)
        if tx.counters.count(f"push refused:{subscription.origin}", _DAY_MS) == 1:
            notices.alarm(tx, "alarm.push_lost", service=subscription.origin, why=why)


def warn(tx: Unit) -> None:
    """Tell browsers that nobody opened for long, before their push service forgets them."""
    for one in tx.pushes.dormant(tx.now - DORMANT_MS, _AT_ONCE):
        push_targets.send(tx, one.origin, one.id, DORMANT)
        tx.pushes.warned(one.id, tx.now)


def check(tx: Unit) -> None:
    """Write to browsers of which nothing was heard for a week: neither a page nor a push got there.

    What its push service forgot is found out so before something grave waits. Every push shows a
    notification, or the browser takes the right to push away; so it says that it is a check, and it
    comes outside of quiet hours.
    """
    for one in tx.pushes.silent(tx.now - CHECK_MS, _AT_ONCE):
        hours = tx.attention.quiet_hours(one.user_id)
        if hours is None or attention.quiet_until(hours, tx.now) is None:
            push_targets.send(tx, one.origin, one.id, CHECK)
            tx.pushes.checked(one.id, tx.now)


def _read(message: str) -> tuple[str, str, str]:
    said = json.loads(message)
    return said["kind"], said["push"], said["approval"]


def _reachable(view: View, subscription_id: str, *, ended: bool) -> PushSubscription | None:
    """The browser, while its device and its person are in force; `ended`: or the device was."""
    subscription = view.pushes.get(subscription_id)
    if subscription is None:
        return None
    device = view.devices.get(subscription.device_id)
    user = view.directory.user(subscription.user_id)
    in_force = device is not None and (ended or device.state == "active")
    return subscription if in_force and user is not None and user.enabled else None


def _said(
    view: View, subscription: PushSubscription, kind: str, approval_id: str
) -> PushAnswer | None:
    now = view.now
    if kind in _ABOUT_NOTHING:
        return PushAnswer(
            kind, "", Risk.LOW, until=now + _ABOUT_NOTHING[kind], waiting=0, step=0, at=now
        )
    assert kind == ASK  # noqa: S101  # `push_targets.py` writes no other
    waiting = view.approvals.waiting(subscription.user_id, now, MOST_COUNTED + 1, None)
    approval = view.approvals.get(approval_id)
    if approval is None or not waiting or not _waits(approval, waiting, now):
        return None
    gravest = max((approval, *waiting), key=lambda one: one.risk.rank)
    return PushAnswer(
        kind,
        approval.id,
        Risk(gravest.risk),
        until=approval.expires_at,
        waiting=len(waiting),
        step=approval.escalated,
        at=now,
    )


def _waits(approval: Approval, waiting: list[Approval], now: int) -> bool:
    """Reports whether somebody still may answer it; it may be one of more than were counted."""
    among = any(one.id == approval.id for one in waiting)
    return among or (len(waiting) > MOST_COUNTED and approval.expires_at > now)
