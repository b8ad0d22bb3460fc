"""What an agent is called: since when, and what it was called before.

People recognize an agent by its name, so an agent with a new name is one that they do not know yet.
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


def named_since(agent: Agent) -> int:
    """Since when the agent has its name, in milliseconds since the epoch."""
    return agent.named_at


def first_request(view: View, client_id: str, user_id: str) -> bool:
    """Whether a client asks this user for the first time; an agent, under its present name."""
    agent = view.directory.agent(client_id)
    since = 0 if agent is None else named_since(agent)
    return not view.approvals.asked_before(client_id, user_id, since)


def renamed(tx: Unit, before: Agent, agent: Agent, *, by: str) -> Agent:
    """The changed agent, with the moment of its new name if it has one; its owners are told."""
    if agent.name == before.name:
        return agent
    tx.names.add_former(agent.id, FormerName(before.name, tx.now))
    facts = {"name": agent.name, "was": before.name}
    audit.record(tx, Entry(audit.Type.AGENT_RENAMED, by, agent_id=agent.id, facts=facts))
    tx.react(AgentAnnounced(agent.id, RENAMED, agent.owners))
    return replace(agent, named_at=tx.now)


def find(view: View, called: str) -> Agent:
    """The agent of this name or client_id. Raises `NotFound`."""
    agent = view.directory.agent_called(called)
    if agent is None:
        raise NotFound(f"There is no agent {called}. See them all with: sayso agents list")
    return agent
