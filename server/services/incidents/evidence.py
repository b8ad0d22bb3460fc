"""The evidence about an agent that an incident quarantines."""

from server.model.clients import Agent
from server.services.clients.agents import DisabledAgent


def agent_evidence(before: Agent, quarantined: DisabledAgent) -> dict[str, object]:
    """Return the agent's identity and credentials before the quarantine, and the revoked items."""
    return {
        "id": before.id,
        "name": before.name,
        "state_before": before.state,
        "state": quarantined.agent.state,
        "owners": list(before.owners),
        "auth_method": before.auth_method,
        "keys": [key.get("kid", "") for key in before.jwks],
        "secrets": [
            {"id": secret.id, "hint": secret.hint, "last_used_at": secret.last_used_at}
            for secret in before.secrets
        ],
        **quarantined.counts,
    }
