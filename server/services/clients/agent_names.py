"""Agent names: when an agent got its current name, and its earlier names.

People recognize an agent by its name, so a renamed agent counts as new to them.
"""

from dataclasses import replace
from typing import Final

from server.model.audit import Entry
from server.model.clients import Agent, FormerName
from server.model.reactions import AgentAnnounced
from server.model.store import Unit, View
from server.services.audit import audit
from server.services.refusals import NotFound

RENAMED: Final = "agent.renamed"


def is_first_request(view: View, client_id: str, user_id: str) -> bool:
    """Return whether the client has never asked this user under its current name."""
    agent = view.directory.agent(client_id)
    since = 0 if agent is None else agent.named_at
    return not view.approvals.asked_before(client_id, user_id, since)


def record_rename(tx: Unit, before: Agent, agent: Agent, *, by: str) -> Agent:
    """Record a changed name and notify the owners; returns the agent with the current time."""
    if agent.name == before.name:
        return agent
    tx.names.add_former(agent.id, FormerName(before.name, tx.now))
    facts = {"name": agent.name, "was": before.name}
    audit.record(tx, Entry(audit.Type.AGENT_RENAMED, by, agent_id=agent.id, facts=facts))
    tx.react(AgentAnnounced(agent.id, RENAMED, agent.owners))
    return replace(agent, named_at=tx.now)


def find(view: View, name_or_id: str) -> Agent:
    """Return the agent with this name or client_id. Raises `NotFound`."""
    agent = view.directory.agent_called(name_or_id)
    if agent is None:
        raise NotFound("agent", name_or_id)
    return agent
