"""Consents, tokens and owned agents in the server's JSON.

Owns: who may act for the user, parsed as strictly as in `wire.py`. Never: HTTP.
"""

from approver_tui.client.reading import JsonObject, read_as
from approver_tui.state.clients.agents import OwnedAgent
from approver_tui.state.consents.consents import Consent
from approver_tui.state.tokens.delegations import Delegation

_MAX_TEXT = 4_000


def read_consent(members: JsonObject) -> Consent:
    """Parse a consent."""
    app = members.child_or_none("app")
    return read_as(
        Consent,
        members,
        **members.id_and_name("client"),
        app_name=None if app is None else app.safe("name"),
        resource=members.safe("resource", max_len=_MAX_TEXT),
    )


def read_delegations(members: JsonObject) -> tuple[Delegation, ...]:
    """Return one page of tokens."""
    return tuple(
        read_as(
            Delegation,
            child,
            resource=child.safe("resource", max_len=_MAX_TEXT),
            scopes=child.safe_texts("scope"),
            approval_id=child.safe_or_none("approval"),
        )
        for child in members.children("items")
    )


def read_owned_agent(members: JsonObject) -> tuple[frozenset[str], OwnedAgent]:
    """Return the IDs of an agent's owners, and the agent."""
    owners = members.children("owners")
    names = tuple(owner.safe("name") for owner in owners)
    owned_agent = read_as(OwnedAgent, members, id=members.text("client_id"), owners=names)
    return frozenset(owner.text("id") for owner in owners), owned_agent
