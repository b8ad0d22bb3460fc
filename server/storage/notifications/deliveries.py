"""Rows of deliveries: when each device received a request, and when it was opened there."""

from collections.abc import Iterable

from sqlalchemy import Executable, and_, bindparam, func, select, update
from sqlalchemy.dialects import sqlite

from server.model.approvals import Delivery
from server.storage.approvals.tables import approvals as a
from server.storage.approvals.tables import decisions
from server.storage.devices.tables import devices
from server.storage.notifications.tables import deliveries as d
from server.storage.prepared import Prepared, TimedRows, Upsert


def _add(insert: sqlite.Insert) -> Executable:
    """Insert a delivery, or add `seen_at` to an existing one that has none."""
    return insert.on_conflict_do_update(
        index_elements=[d.c.approval_id, d.c.device_id],
        set_={"seen_at": func.coalesce(d.c.seen_at, insert.excluded.seen_at)},
    )


_ADD = Upsert(d, _add)
_RECORD_FIRST = Prepared(
    update(a)
    .where(a.c.id == bindparam("approval"), a.c.delivered_at.is_(None))
    .values(delivered_at=bindparam("now"))
)
_RECEIVED = select(d.c.approval_id).where(d.c.device_id == bindparam("device"))
_BY_APPROVAL = (
    select(
        d.c.device_id,
        devices.c.name,
        devices.c.user_id,
        d.c.delivered_at,
        d.c.seen_at,
        decisions.c.at,
    )
    .join(devices, devices.c.id == d.c.device_id)
    .outerjoin(
        decisions,
        and_(decisions.c.approval_id == d.c.approval_id, decisions.c.device_id == d.c.device_id),
    )
    .where(d.c.approval_id == bindparam("approval"))
    .order_by(d.c.delivered_at, d.c.device_id)
)


class Deliveries(TimedRows):
    """Deliveries in the database."""

    def add(self, approval_id: str, device_id: str, *, seen: bool = False) -> None:
        """Record that a device received this request and, if `seen`, opened it. Idempotent."""
        row = {"approval_id": approval_id, "device_id": device_id, "delivered_at": self._now}
        _ADD.run(self._db, {**row, "seen_at": self._now if seen else None})
        _RECORD_FIRST.run(self._db, {"approval": approval_id, "now": self._now})

    def missing(self, device_id: str, approval_ids: Iterable[str]) -> list[str]:
        """Return the IDs of the requests that this device has not received."""
        ids = list(approval_ids)
        received = set(self._column(_RECEIVED.where(d.c.approval_id.in_(ids)), device=device_id))
        return [approval_id for approval_id in ids if approval_id not in received]

    def of_approval(self, approval_id: str) -> list[Delivery]:
        """Return the deliveries of a request, oldest first."""
        return self._many(lambda row: Delivery(*row), _BY_APPROVAL, approval=approval_id)
