"""Consents, tokens and owned agents in the server's JSON.

Owns: who may act for the user, parsed as strictly as in `wire.py`. Never: HTTP.
"""

from approver_tui.client.reading import JsonObject, read_as, read_name
from approver_tui.state.clients.agents import OwnedAgent
from approver_tui.state.consents.consents import Consent
from approver_tui.state.tokens.delegations import Delegation


def read_consent(members: JsonObject) -> Consent:
    """Parse a consent."""
    return read_as(
        Consent,
        members,
        **members.id_and_name("client"),
        app_name=members.read_child("app", read_name),
    )


def read_delegation(members: JsonObject) -> Delegation:
    """Parse a token."""
    return read_as(
        Delegation,
        members,
        scopes=members.safe_texts("scope"),
        approval_id=members.safe_or_none("approval"),
    )


def read_owned_agent(members: JsonObject) -> tuple[frozenset[str], OwnedAgent]:
    """Return the IDs of an agent's owners, and the agent."""
    owners = members.children("owners")
    names = tuple(owner.safe("name") for owner in owners)
    owned_agent = read_as(OwnedAgent, members, id=members.text("client_id"), owners=names)
    return frozenset(owner.text("id") for owner in owners), owned_agent
