"""Incidents with their evidence, in the database."""

from sqlalchemy import select, tuple_

from server.model.incidents import Incident, Scope
from server.storage.incidents.tables import incidents as i
from server.storage.prepared import RecordRows, RecordTable, matches

_NEWEST = (i.c.opened_at.desc(), i.c.id.desc())


class Incidents(RecordRows[Incident, str]):
    """Incidents in the database."""

    records = RecordTable(Incident, i)

    def open_of(self, approval_id: str, scope: Scope) -> Incident | None:
        """Return the newest open incident about this request."""
        matching = matches(i, approval_id=approval_id, scope=scope, state="open")
        return self._find(select(i).where(*matching).order_by(*_NEWEST).limit(1))

    def search(
        self, *, closed: bool, limit: int, before: tuple[int, str] | None = None
    ) -> list[Incident]:
        """Return the newest open incidents; `closed` includes closed ones."""
        statement = select(i).order_by(*_NEWEST).limit(limit)
        if not closed:
            statement = statement.where(i.c.state == "open")
        if before is not None:
            statement = statement.where(tuple_(i.c.opened_at, i.c.id) < tuple_(*before))
        return self._list(statement)

    def close(self, incident_id: str, *, by: str, note: str | None, now: int) -> Incident | None:
        """Close an incident; None if it was already closed."""
        values = {"closed_at": now, "closed_by": by, "closing_note": note}
        closed = self.records.update(incident_id, i.c.state == "open", state="closed", **values)
        return self._find(closed.returning(i))
