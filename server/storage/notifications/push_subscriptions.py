"""Rows of push subscriptions."""

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.engine import RowMapping

from server.model.notifications import PushLoss, PushService, PushSubscription
from server.storage.notifications.push_tables import push_losses as lost
from server.storage.notifications.push_tables import push_subscriptions as s
from server.storage.prepared import Prepared
from server.storage.tables import devices

_ADD = insert(s)
_GET = select(s).where(s.c.id == bindparam("of"))
_BY_ENDPOINT = select(s).where(s.c.endpoint_hash == bindparam("of"))
_ACTIVE = select(devices.c.id).where(devices.c.state == "active")
_OF_USER = (
    select(s)
    .where(s.c.user_id == bindparam("of"), s.c.device_id.in_(_ACTIVE))
    .order_by(s.c.created_at, s.c.id)
)
_TARGETS = Prepared(
    select(s.c.id, s.c.origin)
    .join(devices, devices.c.id == s.c.device_id)
    .where(s.c.user_id == bindparam("of"), devices.c.state == "active")
    .order_by(s.c.id)
)
_OPENED = (
    update(s)
    .where(s.c.id == bindparam("of"))
    .values(
        user_id=bindparam("user"),
        device_id=bindparam("device"),
        sealed=bindparam("box"),
        opened_at=bindparam("now"),
        warned_at=None,
        checked_at=None,
    )
)
_DELIVERED = (
    update(s).where(s.c.id == bindparam("of")).values(delivered_at=bindparam("now"), problem=None)
)
_FAULTY = (
    update(s)
    .where(s.c.id == bindparam("of"), s.c.problem.is_(None))
    .values(problem=bindparam("why"))
    .returning(s.c.id)
)
_REMOVE = delete(s).where(s.c.id == bindparam("of")).returning(s.c.id)
_DORMANT = (
    select(s)
    .where(
        s.c.opened_at < bindparam("before"),
        s.c.warned_at.is_(None),
        s.c.device_id.in_(_ACTIVE),
    )
    .order_by(s.c.opened_at, s.c.id)
    .limit(bindparam("limit"))
)
_WARNED = (
    update(s)
    .where(s.c.id == bindparam("of"))
    .values(warned_at=bindparam("now"), checked_at=bindparam("now"))
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
_CHECKED = update(s).where(s.c.id == bindparam("of")).values(checked_at=bindparam("now"))
_LOSE = insert(lost)
_LOSSES = (
    select(lost)
    .where(lost.c.user_id == bindparam("of"), lost.c.device_id.in_(_ACTIVE))
    .order_by(lost.c.lost_at.desc(), lost.c.id)
)
_FOUND = delete(lost).where(lost.c.device_id == bindparam("of"))
_SEEN = (
    delete(lost)
    .where(lost.c.user_id == bindparam("user"), lost.c.id == bindparam("of"))
    .returning(lost.c.id)
)
_FAULTS = (
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
_PRUNE = tuple(delete(one).where(one.c.device_id.not_in(_ACTIVE)) for one in (s, lost))


class PushSubscriptions:
    """Push subscriptions in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, subscription: PushSubscription) -> None:
        """Store a new one."""
        row = {name: getattr(subscription, name) for name in PushSubscription.__slots__}
        self._connection.execute(_ADD, row)

    def get(self, subscription_id: str) -> PushSubscription | None:
        """By its id."""
        found = self._connection.execute(_GET, {"of": subscription_id}).mappings().first()
        return None if found is None else _record(found)

    def by_endpoint(self, endpoint_hash: bytes) -> PushSubscription | None:
        """By the hash of its address."""
        found = self._connection.execute(_BY_ENDPOINT, {"of": endpoint_hash}).mappings().first()
        return None if found is None else _record(found)

    def of_user(self, user_id: str) -> list[PushSubscription]:
        """Those of devices that are active."""
        rows = self._connection.execute(_OF_USER, {"of": user_id}).mappings().all()
        return [_record(row) for row in rows]

    def targets(self, user_id: str) -> list[tuple[str, str]]:
        """Ids and origins of the same."""
        return [(row[0], row[1]) for row in _TARGETS.run(self._connection, {"of": user_id})]

    def opened(self, subscription: PushSubscription) -> None:
        """Its browser was heard of: keep device, address and moment; warnings are over."""
        values = {
            "of": subscription.id,
            "user": subscription.user_id,
            "device": subscription.device_id,
            "box": subscription.sealed,
            "now": subscription.opened_at,
        }
        self._connection.execute(_OPENED, values)

    def delivered(self, subscription_id: str, now: int) -> None:
        """Its push service took a message; whatever it complained of before is over."""
        self._connection.execute(_DELIVERED, {"of": subscription_id, "now": now})

    def faulty(self, subscription_id: str, problem: str) -> bool:
        """Reports whether it had no problem before."""
        values = {"of": subscription_id, "why": problem}
        return bool(self._connection.execute(_FAULTY, values).all())

    def remove(self, subscription_id: str) -> bool:
        """Forget it; reports whether it was there."""
        return bool(self._connection.execute(_REMOVE, {"of": subscription_id}).all())

    def dormant(self, before: int, limit: int) -> list[PushSubscription]:
        """Those that nobody has opened since, and that were not warned."""
        rows = self._connection.execute(_DORMANT, {"before": before, "limit": limit})
        return [_record(row) for row in rows.mappings().all()]

    def warned(self, subscription_id: str, now: int) -> None:
        """It was told that nobody opens it."""
        self._connection.execute(_WARNED, {"of": subscription_id, "now": now})

    def silent(self, before: int, limit: int) -> list[PushSubscription]:
        """Those that were neither opened nor reached since, nor checked."""
        rows = self._connection.execute(_SILENT, {"before": before, "limit": limit})
        return [_record(row) for row in rows.mappings().all()]

    def checked(self, subscription_id: str, now: int) -> None:
        """We wrote to it of our own accord."""
        self._connection.execute(_CHECKED, {"of": subscription_id, "now": now})

    def lose(self, loss: PushLoss) -> None:
        """Remember that its push service forgot it."""
        row = {name: getattr(loss, name) for name in PushLoss.__slots__}
        self._connection.execute(_LOSE, row)

    def losses(self, user_id: str) -> list[PushLoss]:
        """Those of devices that are active, the latest first."""
        rows = self._connection.execute(_LOSSES, {"of": user_id}).mappings().all()
        return [PushLoss(**row) for row in rows]

    def found(self, device_id: str) -> None:
        """It is called again: nothing of it is lost."""
        self._connection.execute(_FOUND, {"of": device_id})

    def seen(self, user_id: str, subscription_id: str) -> bool:
        """Forget a loss; reports whether it was this person's."""
        values = {"user": user_id, "of": subscription_id}
        return bool(self._connection.execute(_SEEN, values).all())

    def faults(self) -> list[tuple[str, str, int]]:
        """Origins whose push service refuses: a reason, and how many browsers."""
        return [(row[0], row[1], row[2]) for row in self._connection.execute(_FAULTS).all()]

    def services(self) -> list[PushService]:
        """Every push service with how it stands, by its origin."""
        return [PushService(*row) for row in self._connection.execute(_SERVICES).all()]

    def prune(self) -> None:
        """Drop those, and losses, of devices that are not active any more."""
        for statement in _PRUNE:
            self._connection.execute(statement)


def _record(row: RowMapping) -> PushSubscription:
    raw = {name: bytes(row[name]) for name in ("endpoint_hash", "sealed")}
    return PushSubscription(**{**row, **raw})
