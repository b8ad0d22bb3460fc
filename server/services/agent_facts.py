"""What the log says of an agent when it is registered or changed."""

from server.services.records import Agent


def facts(agent: Agent) -> dict[str, object]:
    """What the log says of an agent's rights."""
    return {
        "name": agent.name,
        "auth_method": agent.auth_method,
        "grant_types": list(agent.grant_types),
        "resources": list(agent.resources),
        "scopes": list(agent.scopes),
        "only": {uri: list(may) for uri, may in agent.only.items()},
        "serves": list(agent.serves),
        "labels": list(agent.labels),
        "token_seconds": agent.token_seconds,
        "action_types": None if agent.action_types is None else list(agent.action_types),
        "owners": list(agent.owners),
        "asks": None if agent.asks is None else list(agent.asks),
        "keys": [key["kid"] for key in agent.jwks],
        "request_alg": agent.request_alg,
        "delivery": agent.delivery,
        "notification_endpoint": agent.notification_endpoint,
        "takes_user_code": agent.takes_user_code,
        "high_grants": agent.high_grants,
        "interactive": agent.interactive,
        "expires_at": agent.expires_at,
        "external_id": agent.external_id,
        "review_at": agent.review_at,
        "icon": agent.icon,
        "dpop_bound": agent.dpop_bound,
    }
