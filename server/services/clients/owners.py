"""Who answers for an agent, and since when nobody does who is enabled.

Owns: that moment, made of what its owners are and when they were stopped, and who is told of it.
Never: stopping an agent; `successions.py` does when the time of grace is over.
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
"""What screens and the hook are told when the last owner who was enabled is stopped."""


def of(view: View, agent: Agent) -> tuple[User, ...]:
    """The people who answer for it, as they stand in this very unit of work."""
    found = (view.users.get(user_id) for user_id in agent.owners)
    return tuple(owner for owner in found if owner is not None)


def left_at(view: View, agent: Agent) -> int | None:
    """When the last one who was enabled was stopped (ms); None while somebody is enabled."""
    owners = of(view, agent)
    if any(owner.enabled for owner in owners):
        return None
    return max((owner.disabled_at or agent.created_at for owner in owners), default=view.now)


def orphans(view: View, agents: Iterable[Agent]) -> list[Agent]:
    """Those of them that are enabled and for which nobody answers."""
    return [a for a in agents if a.state == "enabled" and left_at(view, a) is not None]


def user_disabled(tx: Unit, event: UserDisabled) -> None:
    """Say for which agents nobody answers any more."""
    user, by = event.user, event.by
    for agent in orphans(tx, tx.agents.owned_by(user.id)):
        kind = audit.Type.AGENT_ORPHANED
        audit.record(tx, Entry(kind, by, agent_id=agent.id, subject=user.id, cause="no_owner"))
        tx.react(AgentAnnounced(agent.id, ORPHANED, heirs(tx, agent)))


def user_enabled(tx: Unit, event: UserEnabled) -> None:
    """Say for which agents somebody answers again, because nobody else does."""
    for agent in tx.agents.owned_by(event.user.id):
        others = (owner for owner in of(tx, agent) if owner.id != event.user.id)
        if agent.state == "enabled" and not any(owner.enabled for owner in others):
            adopted(tx, [agent], by=event.by)


def adopted(tx: Unit, were_orphans: Iterable[Agent], *, by: str) -> None:
    """Say of which of these somebody enabled answers again: their time of grace is over."""
    for agent in (one for one in were_orphans if left_at(tx, one) is None):
        audit.record(tx, Entry(audit.Type.AGENT_ADOPTED, by, agent_id=agent.id))


def heirs(view: View, agent: Agent) -> list[str]:
    """Who can find it another owner: the administrators, and who stands in for its owners."""
    owners = of(view, agent)
    named = {owner.backup for owner in owners if owner.backup is not None}
    deputies = {
        one.deputy_id
        for owner in owners
        for one in view.deputies.of_user(owner.id, view.now)
        if one.in_force(view.now)
    }
    people = {*view.directory.administrators(), *named, *deputies}
    found = (view.users.get(user_id) for user_id in sorted(people))
    return [user.id for user in found if user is not None and user.enabled]
