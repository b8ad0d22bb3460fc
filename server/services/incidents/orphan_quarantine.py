"""What the clock does about an agent for which nobody answers any more: it is quarantined.

Owns: when its time of grace ends, and what is written down then. Nothing of it is deleted: an
administrator gives it an owner and lifts the quarantine. Never: who answers; `owners.py` knows.
"""

import json
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.clients import Agent
from server.model.incidents import Cause, Incident
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol import names
from server.services.audit import audit
from server.services.clients import owners
from server.services.clients.agents import quarantine
from server.services.incidents import evidence
from server.services.notifications import notices
from server.services.server_policy import ServerPolicy

QUARANTINED: Final = "alarm.agent_quarantined"
_CAUSE: Final[Cause] = "no_owner"


def ends_at(view: View, agent: Agent, rules: ServerPolicy) -> int | None:
    """When its time of grace ends (ms); None where it has none, for it is stopped or owned."""
    left = owners.orphaned_at(view, agent) if agent.state == "enabled" else None
    return None if left is None else left + rules.owner_grace_ms


@dataclass(frozen=True, slots=True)
class OrphanQuarantine:
    """Stops the agents whose time of grace is over, once, however many workers look."""

    store: Store
    secrets: Secrets
    rules: ServerPolicy

    def round(self) -> int:
        """One round; returns how many agents were stopped."""
        with self.store.read() as view:
            if not self._due(view):
                return 0
        with self.store.administer() as tx:
            due = self._due(tx)
            for agent in due:
                self._stop(tx, agent)
            return len(due)

    def _due(self, view: View) -> list[Agent]:
        found = ((agent, ends_at(view, agent, self.rules)) for agent in view.agents.orphans())
        return [agent for agent, ends in found if ends is not None and ends <= view.now]

    def _stop(self, tx: Unit, agent: Agent) -> None:
        by, incident_id = audit.SYSTEM, self.secrets.new_id(names.PREFIX_INCIDENT)
        stopped = quarantine(tx, agent, incident_id, by=by, cause=_CAUSE)
        facts = {"agents": [evidence.of_agent(agent, stopped)]}
        incident = Incident(
            id=incident_id,
            state="open",
            scope="agent",
            approval_id=None,
            user_id=None,
            device_id=None,
            note=None,
            evidence=json.dumps(facts, sort_keys=True),
            opened_at=tx.now,
            cause=_CAUSE,
        )
        tx.incidents.add(incident)
        audit.record(
            tx,
            Entry(
                type=audit.Type.INCIDENT_OPENED,
                actor=by,
                agent_id=agent.id,
                cause=_CAUSE,
                facts={"incident": incident_id, "scope": incident.scope, **facts},
            ),
        )
        notices.agent(tx, agent.id, QUARANTINED, owners.orphan_contacts(tx, agent), incident_id)
