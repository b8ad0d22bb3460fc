"""Rows of push subscriptions."""

from sqlalchemy import bindparam, delete, func, select

from server.model.notifications import PushLoss, PushService, PushSubscription
from server.storage.devices.tables import devices
from server.storage.notifications.tables import push_losses
from server.storage.notifications.tables import push_subscriptions as s
from server.storage.prepared import Prepared, RecordRows, RecordTable

_BY_ENDPOINT = select(s).where(s.c.endpoint_hash == bindparam("endpoint_hash"))
_ACTIVE = select(devices.c.id).where(devices.c.state == "active")
_BY_USER = (
    select(s)
    .where(s.c.user_id == bindparam("user"), s.c.device_id.in_(_ACTIVE))
    .order_by(s.c.created_at, s.c.id)
)
_TARGETS = Prepared(
    select(s.c.id, s.c.origin)
    .join(devices, devices.c.id == s.c.device_id)
    .where(s.c.user_id == bindparam("user"), devices.c.state == "active")
    .order_by(s.c.id)
)
_DORMANT = (
    select(s)
    .where(s.c.opened_at < bindparam("before"), s.c.warned_at.is_(None), s.c.device_id.in_(_ACTIVE))
    .order_by(s.c.opened_at, s.c.id)
    .limit(bindparam("limit"))
)
_SILENT = (
    select(s)
    .where(
        s.c.opened_at < bindparam("before"),
        func.coalesce(s.c.delivered_at, s.c.created_at) < bindparam("before"),
        func.coalesce(s.c.checked_at, 0) < bindparam("before"),
        s.c.device_id.in_(_ACTIVE),
    )
    .order_by(s.c.opened_at, s.c.id)
    .limit(bindparam("limit"))
)
_LOSSES_OF_USER = (
    select(push_losses)
    .where(push_losses.c.user_id == bindparam("user"), push_losses.c.device_id.in_(_ACTIVE))
    .order_by(push_losses.c.lost_at.desc(), push_losses.c.id)
)
_LOSSES = RecordTable(PushLoss, push_losses)
_PROBLEMS = (
    select(s.c.origin, func.max(s.c.problem), func.count())
    .where(s.c.problem.is_not(None))
    .group_by(s.c.origin)
    .order_by(s.c.origin)
)
_SERVICES = (
    select(s.c.origin, func.count(), func.max(s.c.delivered_at), func.max(s.c.problem))
    .group_by(s.c.origin)
    .order_by(s.c.origin)
)
_PRUNE = tuple(delete(table).where(table.c.device_id.not_in(_ACTIVE)) for table in (s, push_losses))


class PushSubscriptions(RecordRows[PushSubscription, str]):
    """Push subscriptions in the database."""

    records = RecordTable(PushSubscription, s)

    def by_endpoint(self, endpoint_hash: bytes) -> PushSubscription | None:
        """Return the subscription with this hash of its endpoint."""
        return self._find(_BY_ENDPOINT, endpoint_hash=endpoint_hash)

    def of_user(self, user_id: str) -> list[PushSubscription]:
        """Return the user's subscriptions on active devices."""
        return self._list(_BY_USER, user=user_id)

    def targets(self, user_id: str) -> list[tuple[str, str]]:
        """Return the IDs and origins of the user's subscriptions on active devices."""
        return [(row[0], row[1]) for row in _TARGETS.run(self._db, {"user": user_id})]

    def refresh(self, subscription: PushSubscription) -> None:
        """Update the user, device, endpoint and `opened_at`; clear warnings and checks."""
        changed = ("user_id", "device_id", "sealed", "opened_at")
        values = {name: getattr(subscription, name) for name in changed}
        self._set(subscription.id, **values, warned_at=None, checked_at=None)

    def record_delivery(self, subscription_id: str, now: int) -> None:
        """Record that the push service accepted a message, and clear the problem."""
        self._set(subscription_id, delivered_at=now, problem=None)

    def add_problem(self, subscription_id: str, problem: str) -> bool:
        """Record a problem; return whether there was none before."""
        return self._set(subscription_id, s.c.problem.is_(None), problem=problem)

    def remove(self, subscription_id: str) -> bool:
        """Delete a subscription; return whether it existed."""
        return self._change(delete(s).where(s.c.id == subscription_id))

    def dormant(self, before: int, limit: int) -> list[PushSubscription]:
        """Return the subscriptions that were not opened since then and not yet warned."""
        return self._list(_DORMANT, before=before, limit=limit)

    def mark_warned(self, subscription_id: str, now: int) -> None:
        """Record that the warning was sent to the subscription."""
        self._set(subscription_id, warned_at=now, checked_at=now)

    def silent(self, before: int, limit: int) -> list[PushSubscription]:
        """Return the subscriptions that were not opened, reached or checked since then."""
        return self._list(_SILENT, before=before, limit=limit)

    def mark_checked(self, subscription_id: str, now: int) -> None:
        """Record that a check message was sent to the subscription."""
        self._set(subscription_id, checked_at=now)

    def add_loss(self, loss: PushLoss) -> None:
        """Store a lost subscription."""
        _LOSSES.add(self._db, loss)

    def losses(self, user_id: str) -> list[PushLoss]:
        """Return the lost subscriptions of the user's active devices, newest first."""
        return self._many(_LOSSES.read, _LOSSES_OF_USER, user=user_id)

    def remove_losses(self, device_id: str) -> None:
        """Remove the losses of a device that has subscribed again."""
        self._db.execute(delete(push_losses).where(push_losses.c.device_id == device_id))

    def dismiss_loss(self, user_id: str, subscription_id: str) -> bool:
        """Remove a loss; return False if it does not belong to this user."""
        loss = push_losses.c.user_id == user_id, push_losses.c.id == subscription_id
        return self._change(delete(push_losses).where(*loss))

    def problems(self) -> list[tuple[str, str, int]]:
        """Return origin, problem and browser count for each push service that rejects messages."""
        return [(row[0], row[1], row[2]) for row in self._db.execute(_PROBLEMS).all()]

    def services(self) -> list[PushService]:
        """Return the state of every push service, by origin."""
        return [PushService(*row) for row in self._db.execute(_SERVICES).all()]

    def prune(self) -> None:
        """Delete the subscriptions and losses of devices that are no longer active."""
        for statement in _PRUNE:
            self._db.execute(statement)
