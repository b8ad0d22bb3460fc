"""What an agent is called: since when, and what it was called before.

People recognize an agent by its name, so an agent with a new name is one that they do not know yet.
"""

from dataclasses import replace
from typing import Final

from server.services import audit, notices
from server.services.name_rows import FormerName
from server.services.ports import Unit, View
from server.services.records import Agent, Entry

RENAMED: Final = "agent.renamed"


def named_since(agent: Agent) -> int:
    """Since when the agent has its name, in milliseconds since the epoch."""
    return agent.named_at


def former(view: View, agent_id: str) -> list[FormerName]:
    """What an agent was called before and until when, the newest first."""
    return view.names.former(agent_id)


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
    notices.agent(tx, agent.id, RENAMED, agent.owners)
    return replace(agent, named_at=tx.now)
