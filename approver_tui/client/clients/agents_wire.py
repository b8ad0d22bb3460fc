"""Owned agents in the server's JSON.

Owns: which members are read. Never: HTTP, or what an agent may do.
"""

from approver_tui.client.reading import JsonObject
from approver_tui.state.clients.agents import OwnedAgent, SuspendedAgent


def read_owned_agent(members: JsonObject) -> tuple[frozenset[str], OwnedAgent]:
    """Return the IDs of an agent's owners, and the agent."""
    owners = members.children("owners")
    names = tuple(owner.safe("name") for owner in owners)
    one = OwnedAgent(members.text("client_id"), members.safe("name"), members.safe("state"), names)
    return frozenset(owner.text("id") for owner in owners), one


def read_suspended_agent(members: JsonObject) -> SuspendedAgent:
    """Return what ended with a suspended agent."""
    tokens = members.integer("tokens_revoked") + members.integer("descendants_revoked")
    requests = members.integer("requests_cancelled") + members.integer("approved_cancelled")
    return SuspendedAgent(tokens, requests)
