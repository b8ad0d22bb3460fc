"""Rows of security events that are waiting for delivery to an API."""

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from server.protocol.tokens.security_events import KEPT_MS, SecurityEvent
from server.storage.prepared import ExpiringRows, TimedRows, record_reader
from server.storage.tokens.tables import security_events as e

_BY_RESOURCES = e.c.resource.in_(bindparam("resources", expanding=True))
_ADD = insert(e)
_WAITING = select(e).where(_BY_RESOURCES).order_by(e.c.id).limit(bindparam("limit"))
_DELETE = (
    delete(e).where(_BY_RESOURCES, e.c.id.in_(bindparam("ids", expanding=True))).returning(e.c.id)
)
_read_event = record_reader(SecurityEvent, e)


class SecurityEvents(TimedRows, ExpiringRows):
    """Security events in the database, until their API acknowledges them or they are too old."""

    expires_at = e.c.at
    kept_ms = KEPT_MS

    def __init__(self, connection: Connection, now: int, new_id: Callable[[int], str]) -> None:
        super().__init__(connection, now)
        self._new_id = new_id

    def add(self, resources: Iterable[str], subject: str, initiator: str, reason: str) -> None:
        """Store one event for each of these resources."""
        values = {"subject": subject, "initiator": initiator, "reason": reason, "at": self._now}
        for resource in resources:
            self._db.execute(_ADD, {"id": self._new_id(self._now), "resource": resource, **values})

    def waiting(self, resources: Collection[str], limit: int) -> list[SecurityEvent]:
        """Return the oldest events for these resources."""
        return self._many(_read_event, _WAITING, resources=list(resources), limit=limit)

    def delete(self, resources: Collection[str], ids: Collection[str]) -> list[str]:
        """Delete these events if they are for these resources; return the deleted IDs."""
        return self._column(_DELETE, resources=list(resources), ids=list(ids))
