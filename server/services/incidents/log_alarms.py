"""Log alarms: a terminal or browser received an audit log that contradicts an earlier one.

Owns: the incident of an alarm. Never: deciding whether the log was changed; administrators do that.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

from server.model.audit import Entry
from server.model.incidents import Cause, Incident
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.protocol import names
from server.services.audit import audit
from server.services.incidents.incidents import MAX_LISTED
from server.services.notifications import notices
from server.services.users.device_auth import Person

_CAUSE: Final[Cause] = "log_changed"


@dataclass(frozen=True, slots=True)
class LogAlarm:
    """A signed note that a device stored, and one that contradicts it, as sent by the device."""

    kept: str
    shown: str


@dataclass(frozen=True, slots=True)
class LogAlarms:
    """Accepts alarms. An alarm only opens an incident, so the session key suffices."""

    store: Store
    secrets: Secrets

    def report(self, person: Person, alarm: LogAlarm) -> str:
        """Open an incident, unless this device has an open one; return its ID."""
        with self.store.write() as tx:
            open_id = self._find_open(tx, person.registered_device.id)
            return open_id or self._open(tx, person, alarm)

    def _find_open(self, tx: Unit, device_id: str) -> str | None:
        incidents = tx.incidents.search(closed=False, limit=MAX_LISTED)
        device_incidents = (
            incident.id
            for incident in incidents
            if (incident.cause, incident.device_id) == (_CAUSE, device_id)
        )
        return next(device_incidents, None)

    def _open(self, tx: Unit, person: Person, alarm: LogAlarm) -> str:
        log, user_id = asdict(alarm), person.user.id
        incident = Incident(
            id=self.secrets.new_id(names.PREFIX_INCIDENT),
            evidence=json.dumps({"agents": [], "log": log}, sort_keys=True),
            opened_at=tx.now,
            user_id=user_id,
            device_id=person.registered_device.id,
            cause=_CAUSE,
        )
        tx.incidents.add(incident)
        facts = {"incident": incident.id, "device": incident.device_id, "log": log}
        kind, by = audit.Type.INCIDENT_OPENED, audit.by_user(user_id)
        tx.audit.add(Entry(kind, by, subject=user_id, cause=_CAUSE, facts=facts))
        notices.incident_opened(tx, incident)
        return incident.id
