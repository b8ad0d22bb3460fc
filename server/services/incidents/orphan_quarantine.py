"""Orphan quarantine: an agent without an enabled owner is quarantined after a grace period.

Nothing is deleted: an administrator can add an owner and enable the agent. Owns: the end of the
grace period, and the incident. Never: finding the owners (`owners.py`).
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
from server.services.incidents import incidents
from server.services.notifications import notices
from server.services.server_policy import ServerPolicy

QUARANTINED: Final = "alarm.agent_quarantined"
_CAUSE: Final[Cause] = "no_owner"


def grace_ends_at(view: View, agent: Agent, policy: ServerPolicy) -> int | None:
    """Return when the grace period ends (ms); None if the agent is not enabled or has an owner."""
    orphaned_at = owners.orphaned_at(view, agent) if agent.state == "enabled" else None
    return None if orphaned_at is None else orphaned_at + policy.owner_grace_ms


@dataclass(frozen=True, slots=True)
class OrphanQuarantine:
    """Quarantines agents after their grace period, once across all workers."""

    store: Store
    secrets: Secrets
    server_policy: ServerPolicy

    def round(self) -> int:
        """Run one round; return the number of quarantined agents."""
        with self.store.read() as view:
            if not self._due(view):
                return 0
        with self.store.administer() as tx:
            due = self._due(tx)
            for agent in due:
                self._quarantine(tx, agent)
            return len(due)

    def _due(self, view: View) -> list[Agent]:
        orphans = (
            (agent, grace_ends_at(view, agent, self.server_policy))
            for agent in view.agents.orphans()
        )
        return [agent for agent, ends in orphans if ends is not None and ends <= view.now]

    def _quarantine(self, tx: Unit, agent: Agent) -> None:
        by, incident_id = audit.SYSTEM, self.secrets.new_id(names.PREFIX_INCIDENT)
        quarantined = quarantine(tx, agent, incident_id, by=by, cause=_CAUSE)
        evidence = {"agents": [incidents.agent_evidence(agent, quarantined)]}
        stored = json.dumps(evidence, sort_keys=True)
        incident = Incident(incident_id, stored, tx.now, cause=_CAUSE)
        tx.incidents.add(incident)
        tx.audit.add(
            Entry(
                type=audit.Type.INCIDENT_OPENED,
                actor=by,
                agent_id=agent.id,
                cause=_CAUSE,
                facts={"incident": incident_id, "scope": incident.scope, **evidence},
            ),
        )
        notices.agent(tx, agent.id, QUARANTINED, owners.orphan_contacts(tx, agent), incident_id)
