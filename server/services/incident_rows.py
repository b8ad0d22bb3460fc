"""What the services need of the rows of incidents."""

from typing import Protocol

from server.services.incident_records import Incident, Scope


class IncidentRows(Protocol):
    """Incidents. `close` MUST be one conditional UPDATE; None means: it was closed before."""

    def add(self, incident: Incident) -> None: ...
    def get(self, incident_id: str) -> Incident | None: ...
    def open_of(self, approval_id: str, scope: Scope) -> Incident | None:
        """The newest open one about this request."""

    def search(
        self, *, closed: bool, limit: int, before: tuple[int, str] | None = None
    ) -> list[Incident]:
        """The newest open ones behind a moment and an id; with `closed` those too that are over."""

    def close(
        self, incident_id: str, *, by: str, note: str | None, now: int
    ) -> Incident | None: ...
