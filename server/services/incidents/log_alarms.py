"""Log alarms: the terminal or browser of a user saw another audit log than before.

Owns: the incident of an alarm. Never: whether the log was changed; administrators verify that.
"""

import json
from dataclasses import dataclass
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
    """What a device kept of the log, and what contradicts it: signed notes, as the device sent."""

    kept: str
    shown: str


@dataclass(frozen=True, slots=True)
class LogAlarms:
    """Accepts alarms. They end nothing, so the session key suffices."""

    store: Store
    secrets: Secrets

    def report(self, person: Person, alarm: LogAlarm) -> str:
        """Open an incident, unless one of this device is open; returns its ID."""
        with self.store.write() as tx:
            known = self._open_of(tx, person.registered_device.id)
            return known or self._opened(tx, person, alarm)

    def _open_of(self, tx: Unit, device_id: str) -> str | None:
        incidents = tx.incidents.search(closed=False, limit=MAX_LISTED)
        mine = (
            incident.id
            for incident in incidents
            if (incident.cause, incident.device_id) == (_CAUSE, device_id)
        )
        return next(mine, None)

    def _opened(self, tx: Unit, person: Person, alarm: LogAlarm) -> str:
        log = {"kept": alarm.kept, "shown": alarm.shown}
        incident = Incident(
            id=self.secrets.new_id(names.PREFIX_INCIDENT),
            state="open",
            scope="agent",
            approval_id=None,
            user_id=person.user.id,
            device_id=person.registered_device.id,
            note=None,
            evidence=json.dumps({"agents": [], "log": log}, sort_keys=True),
            opened_at=tx.now,
            cause=_CAUSE,
        )
        tx.incidents.add(incident)
        facts = {"incident": incident.id, "device": incident.device_id, "log": log}
        tx.audit.add(
            Entry(
                type=audit.Type.INCIDENT_OPENED,
                actor=audit.by_user(person.user.id),
                subject=person.user.id,
                cause=_CAUSE,
                facts=facts,
            )
        )
        notices.incident(tx, incident, "alarm.incident_opened", ())
        return incident.id
