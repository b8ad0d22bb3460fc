"""Incidents with their evidence, in the database."""

from sqlalchemy import bindparam, insert, select, tuple_, update

from server.model.incidents import Incident, Scope
from server.storage.incidents.tables import incidents as i
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_ADD = insert(i)
_record, _values = record_reader(Incident, i), row_writer(i)
_GET = select(i).where(i.c.id == bindparam("incident"))
_NEWEST = (i.c.opened_at.desc(), i.c.id.desc())
_OPEN_FOR_APPROVAL = (
    select(i)
    .where(
        i.c.approval_id == bindparam("approval"),
        i.c.scope == bindparam("scope"),
        i.c.state == "open",
    )
    .order_by(*_NEWEST)
    .limit(1)
)
_CLOSE = (
    update(i)
    .where(i.c.id == bindparam("incident"), i.c.state == "open")
    .values(
        state="closed",
        closed_at=bindparam("now"),
        closed_by=bindparam("closed_by"),
        closing_note=bindparam("text"),
    )
    .returning(i)
)


class Incidents(DatabaseRows):
    """Incidents in the database."""

    def add(self, incident: Incident) -> None:
        """Store a new incident."""
        self._db.execute(_ADD, _values(incident))

    def get(self, incident_id: str) -> Incident | None:
        """Return the incident with this ID, even if it is closed."""
        return self._one(_record, _GET, incident=incident_id)

    def open_of(self, approval_id: str, scope: Scope) -> Incident | None:
        """Return the newest open incident about this request."""
        return self._one(_record, _OPEN_FOR_APPROVAL, approval=approval_id, scope=scope)

    def search(
        self, *, closed: bool, limit: int, before: tuple[int, str] | None = None
    ) -> list[Incident]:
        """Return the newest open incidents; `closed` includes closed ones."""
        statement = select(i).order_by(*_NEWEST).limit(limit)
        if not closed:
            statement = statement.where(i.c.state == "open")
        if before is not None:
            statement = statement.where(tuple_(i.c.opened_at, i.c.id) < tuple_(*before))
        return self._many(_record, statement)

    def close(self, incident_id: str, *, by: str, note: str | None, now: int) -> Incident | None:
        """Close an incident; None if it was already closed."""
        return self._one(_record, _CLOSE, incident=incident_id, closed_by=by, text=note, now=now)
