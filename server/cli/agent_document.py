"""How an agent is written: as a JSON document and as a sheet of facts."""

from collections.abc import Iterable, Mapping

from server.cli.opening import Desk
from server.cli.output import listed, moment, rfc3339, sheet
from server.services import icons
from server.services.pauses import Pause
from server.services.records import Agent, Secret


def called_by_id(desk: Desk) -> dict[str, str]:
    """Id → name, of everybody and every group."""
    people = {user.id: user.name for user in desk.users.all()}
    return people | {group.id: group.name for group in desk.groups.all()}


def agent_document(agent: Agent, names: Mapping[str, str]) -> dict[str, object]:
    """An agent in JSON; people by their names."""
    return {
        "client_id": agent.id,
        "name": agent.name,
        "description": agent.description,
        "state": agent.state,
        "owners": _people(agent.owners, names),
        "auth_method": agent.auth_method,
        "auth_before": agent.auth_before,
        "auth_before_until": rfc3339(agent.auth_before_until),
        "grant_types": list(agent.grant_types),
        "delivery": agent.delivery,
        "backchannel_client_notification_endpoint": agent.notification_endpoint,
        "backchannel_user_code_parameter": agent.takes_user_code,
        "high_grants": agent.high_grants,
        "interactive": agent.interactive,
        "resources": list(agent.resources),
        "scopes": list(agent.scopes),
        "only": {uri: list(may) for uri, may in agent.only.items()},
        "serves": list(agent.serves),
        "labels": list(agent.labels),
        "external_id": agent.external_id,
        "review_at": rfc3339(agent.review_at),
        "icon": icons.path(agent),
        "token_seconds": agent.token_seconds,
        "action_types": None if agent.action_types is None else list(agent.action_types),
        "asks": None if agent.asks is None else _people(agent.asks, names),
        "id_token_signed_response_alg": agent.id_token_alg,
        "dpop_bound_access_tokens": agent.dpop_bound,
        "backchannel_authentication_request_signing_alg": agent.request_alg,
        "secrets": [secret_document(secret) for secret in agent.secrets],
        "keys": [_key_document(agent, key) for key in agent.jwks],
        "expires_at": rfc3339(agent.expires_at),
        "created_at": rfc3339(agent.created_at),
        "named_at": rfc3339(agent.named_at),
    }


def agent_lines(agent: Agent, names: Mapping[str, str]) -> list[str]:
    """An agent as a person reads it."""
    facts = {
        "agent": agent.name,
        "client_id": agent.id,
        "description": agent.description or None,
        "state": agent.state,
        "labels": listed(agent.labels) if agent.labels else None,
        "owners": listed(_people(agent.owners, names)),
        "authenticates": agent.auth_method,
        "also by": None
        if agent.auth_before_until is None
        else f"{agent.auth_before}, to {moment(agent.auth_before_until)}",
        "grants": listed(agent.grant_types),
        "delivery": agent.delivery,
        "called back at": agent.notification_endpoint,
        "user codes": "sends them along" if agent.takes_user_code else None,
        "grants ahead": "at high risk too" if agent.high_grants else None,
        "screen": "shows a number for people to match" if agent.interactive else None,
        "resources": listed(agent.resources),
        "scopes": listed(agent.scopes),
        "only": "; ".join(f"at {uri}: {listed(may)}" for uri, may in agent.only.items()) or None,
        "serves": listed(agent.serves),
        "token life": None if agent.token_seconds is None else f"{agent.token_seconds} seconds",
        "actions": "every type" if agent.action_types is None else listed(agent.action_types),
        "may ask": "everybody" if agent.asks is None else listed(_people(agent.asks, names)),
        "id tokens": agent.id_token_alg,
        "tokens": "bound to its key by DPoP" if agent.dpop_bound else None,
        "signs requests": agent.request_alg or "only if it wants to",
        "expires": moment(agent.expires_at),
        "external id": agent.external_id,
        "review": None if agent.review_at is None else moment(agent.review_at),
        "icon": icons.path(agent),
        "since": moment(agent.created_at),
        "this name since": None if agent.named_at == agent.created_at else moment(agent.named_at),
    }
    secrets = [f"secret {secret_line(secret)}" for secret in agent.secrets]
    keys = [
        f"key {key['kid']}  {key['alg']}, last used {moment(agent.key_uses.get(key['kid']))}"
        for key in agent.jwks
    ]
    return [*sheet(facts), *secrets, *keys]


def pause_line(pause: Pause) -> str:
    """What it may not ask somebody for now."""
    what = pause.type or "scopes alone"
    return (
        f"paused: {pause.user_name} denied {what} repeatedly; "
        f"it may ask them again at {moment(pause.until)}"
    )


def pause_document(pause: Pause) -> dict[str, object]:
    """The same in JSON; a type of null stands for scopes alone."""
    user = {"id": pause.user_id, "name": pause.user_name}
    return {"user": user, "type": pause.type or None, "until": rfc3339(pause.until)}


def secret_line(secret: Secret) -> str:
    """A client's secret as a person tells it from others."""
    return (
        f"…{secret.hint}  made {moment(secret.created_at)}, "
        f"works until {moment(secret.expires_at, never='it is rotated')}, "
        f"last used {moment(secret.last_used_at)}"
    )


def secret_document(secret: Secret) -> dict[str, object]:
    """A client's secret in JSON: everything but the secret."""
    return {
        "id": secret.id,
        "hint": secret.hint,
        "created_at": rfc3339(secret.created_at),
        "expires_at": rfc3339(secret.expires_at),
        "last_used_at": rfc3339(secret.last_used_at),
    }


def _key_document(agent: Agent, key: Mapping[str, str]) -> dict[str, object]:
    used = rfc3339(agent.key_uses.get(key["kid"]))
    return {"kid": key["kid"], "alg": key["alg"], "last_used_at": used}


def _people(ids: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(user_id, user_id) for user_id in ids]
