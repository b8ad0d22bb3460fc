"""Incidents: what people reported. Looking at them, and closing them.

Closing one lifts nothing: an agent that was stopped goes on when an administrator enables it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.protocol.text import check_prose
from server.services import audit
from server.services.incident_records import Incident
from server.services.ports import Store, View
from server.services.records import Entry
from server.services.refusals import Conflict, Invalid, NotFound

MOST_NOTE: Final = 500
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Told:
    """An incident with the names and the standing of today that its ids stand for."""

    incident: Incident
    user_name: str
    states: Mapping[str, str]
    """Agent → its state now; one that was deleted is "deleted"."""

    @property
    def evidence(self) -> dict[str, Any]:
        """What was written down when it was reported."""
        found: dict[str, Any] = json.loads(self.incident.evidence)
        return found


@dataclass(frozen=True, slots=True)
class Incidents:
    """What administrators and auditors see of reports."""

    store: Store

    def search(
        self, *, closed: bool = False, limit: int = MOST, before: tuple[int, str] | None = None
    ) -> list[Told]:
        """The newest open ones; with `closed` those too that are over."""
        with self.store.read() as view:
            found = view.incidents.search(closed=closed, limit=limit, before=before)
            return [_told(view, incident) for incident in found]

    def show(self, incident_id: str) -> Told:
        """One incident with its evidence. Raises `NotFound`."""
        with self.store.read() as view:
            return _told(view, _find(view, incident_id))

    def close(self, incident_id: str, note: str | None, *, by: str) -> Told:
        """Say that it was looked into. Raises `NotFound`, `Conflict` or `Invalid`."""
        note = _checked(note)
        with self.store.write() as tx:
            _find(tx, incident_id)
            closed = tx.incidents.close(incident_id, by=by, note=note, now=tx.now)
            if closed is None:
                raise Conflict("This incident was closed before.")
            audit.record(
                tx,
                Entry(
                    type=audit.Type.INCIDENT_CLOSED,
                    actor=by,
                    subject=closed.user_id,
                    approval_id=closed.approval_id,
                    facts={"incident": closed.id, "note": note},
                ),
            )
            return _told(tx, closed)


def _find(view: View, incident_id: str) -> Incident:
    incident = view.incidents.get(incident_id)
    if incident is None:
        raise NotFound(f"There is no incident {incident_id}. See them with: sayso incidents list")
    return incident


def _told(view: View, incident: Incident) -> Told:
    user = view.directory.user(incident.user_id)
    states = {}
    for one in json.loads(incident.evidence)["agents"]:
        agent = view.directory.agent(one["id"])
        states[one["id"]] = "deleted" if agent is None else agent.state
    return Told(incident, "" if user is None else user.name, states)


def _checked(note: str | None) -> str | None:
    if not note:
        return None
    try:
        return check_prose(note, what="The note", max_chars=MOST_NOTE)
    except ValueError as error:
        raise Invalid(f"{error}.") from None
