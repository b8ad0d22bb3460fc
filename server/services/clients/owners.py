"""Owners of agents, and orphaned agents.

Owns: when an agent became orphaned, and who is notified. Never: disabling an agent; the orphan
quarantine does that when the grace period ends.
"""

from collections.abc import Iterable
from typing import Final

from server.model.audit import Entry
from server.model.clients import Agent
from server.model.reactions import AgentAnnounced, UserDisabled, UserEnabled
from server.model.store import Unit, View
from server.model.users import User
from server.services.audit import audit

ORPHANED: Final = "alarm.agent_orphaned"
"""The event when the last enabled owner of an agent is disabled."""


def list_owners(view: View, agent: Agent) -> tuple[User, ...]:
    """Return the agent's owners in this unit of work."""
    owners = (view.users.get(user_id) for user_id in agent.owners)
    return tuple(owner for owner in owners if owner is not None)


def orphaned_at(view: View, agent: Agent) -> int | None:
    """Return when the last enabled owner was disabled (ms); None if one is enabled."""
    owners = list_owners(view, agent)
    if any(owner.enabled for owner in owners):
        return None
    return max((owner.disabled_at or agent.created_at for owner in owners), default=view.now)


def orphans(view: View, agents: Iterable[Agent]) -> list[Agent]:
    """Return the enabled agents among these that are orphaned."""
    return [
        agent
        for agent in agents
        if agent.state == "enabled" and orphaned_at(view, agent) is not None
    ]


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Record and announce the agents that are now orphaned."""
    user, by = event.user, event.by
    for agent in orphans(tx, tx.agents.owned_by(user.id)):
        kind = audit.Type.AGENT_ORPHANED
        tx.audit.add(Entry(kind, by, agent_id=agent.id, subject=user.id, cause="no_owner"))
        tx.react(AgentAnnounced(agent.id, ORPHANED, orphan_contacts(tx, agent)))


def user_enabled(tx: Unit, event: UserEnabled) -> None:
    """Record the agents that have an enabled owner again."""
    for agent in tx.agents.owned_by(event.user.id):
        others = (owner for owner in list_owners(tx, agent) if owner.id != event.user.id)
        if agent.state == "enabled" and not any(owner.enabled for owner in others):
            record_adoptions(tx, [agent], by=event.by)


def record_adoptions(tx: Unit, former_orphans: Iterable[Agent], *, by: str) -> None:
    """Record which of these agents have an enabled owner again; this ends their grace period."""
    for agent in (orphan for orphan in former_orphans if orphaned_at(tx, orphan) is None):
        tx.audit.add(Entry(audit.Type.AGENT_ADOPTED, by, agent_id=agent.id))


def orphan_contacts(view: View, agent: Agent) -> list[str]:
    """Return who can assign an owner: administrators, and the owners' backups and deputies."""
    owners = list_owners(view, agent)
    backups = {owner.backup for owner in owners if owner.backup is not None}
    deputies = {
        deputy.deputy_id
        for owner in owners
        for deputy in view.deputies.of_user(owner.id, view.now)
        if deputy.in_force(view.now)
    }
    contact_ids = {*view.directory.administrators(), *backups, *deputies}
    users = (view.users.get(user_id) for user_id in sorted(contact_ids))
    return [user.id for user in users if user is not None and user.enabled]
