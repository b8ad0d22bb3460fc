"""An agent as JSON and as lines of text."""

from collections.abc import Mapping

from server.cli import members
from server.cli.opening import OpenInstallation
from server.cli.output import moment, sheet
from server.lazy_imports import lazily
from server.model.clients import Agent, App, Secret
from server.protocol.times import rfc3339, rfc3339_or_none
from server.services.clients.agent_members import AGENT_MEMBERS

with lazily():
    from server.services.notifications.request_limits import Pause


def names_by_id(admin: OpenInstallation) -> dict[str, str]:
    """Return the names of all users and groups by ID."""
    people = {user.id: user.name for user in admin.users.all()}
    return people | {group.id: group.name for group in admin.groups.all()}


def agent_document(agent: Agent, names: Mapping[str, str]) -> dict[str, object]:
    """Return an agent as JSON, with people by name."""
    return {
        "client_id": agent.id,
        **members.document(AGENT_MEMBERS, agent, names),
        "state": agent.state,
        "auth_before": agent.auth_before,
        "auth_before_until": rfc3339_or_none(agent.auth_before_until),
        "secrets": [secret_document(secret) for secret in agent.secrets],
        "keys": [_key_document(agent, key) for key in agent.jwks],
        "created_at": rfc3339(agent.created_at),
        "named_at": rfc3339(agent.named_at),
    }


def agent_lines(agent: Agent, names: Mapping[str, str]) -> list[str]:
    """Return an agent as lines of text."""
    facts = {
        "agent": agent.name,
        "client_id": agent.id,
        "state": agent.state,
        **members.lines(AGENT_MEMBERS, agent, names),
        "old method": None
        if agent.auth_before_until is None
        else f"{agent.auth_before}, until {moment(agent.auth_before_until)}",
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
    """Return the line about a pause: what the agent cannot ask a person for at the moment."""
    request_type = pause.type or "scopes only"
    return (
        f"paused: {pause.user_name} denied {request_type} repeatedly; "
        f"it may ask again at {moment(pause.until)}"
    )


def pause_document(pause: Pause) -> dict[str, object]:
    """Return a pause as JSON; a type of null means scopes without an action."""
    user = {"id": pause.user_id, "name": pause.user_name}
    return {"user": user, "type": pause.type or None, "until": rfc3339(pause.until)}


def secret_line(secret: Secret) -> str:
    """Return the line about a secret, without the secret."""
    return (
        f"…{secret.hint}  created {moment(secret.created_at)}, "
        f"works until {moment(secret.expires_at, never='rotated')}, "
        f"last used {moment(secret.last_used_at)}"
    )


def secret_document(secret: Secret) -> dict[str, object]:
    """Return a secret as JSON, without the secret."""
    return {
        "id": secret.id,
        "hint": secret.hint,
        "created_at": rfc3339(secret.created_at),
        "expires_at": rfc3339_or_none(secret.expires_at),
        "last_used_at": rfc3339_or_none(secret.last_used_at),
    }


def with_secret(document: Mapping[str, object], secret: str) -> Mapping[str, object]:
    """Return the JSON of a client with its new secret first, if it has one."""
    if not secret:
        return document
    return {"client_id": document["client_id"], "client_secret": secret, **document}


def new_secret(client: Agent | App, secret: str) -> tuple[dict[str, object], str]:
    """Return the JSON of a rotated secret, and the line that says until when the old one works."""
    ends = max((old.expires_at for old in client.secrets if old.expires_at), default=None)
    old = f"the old one works until {moment(ends)}" if ends else "old secrets no longer work"
    document: dict[str, object] = {
        "client_id": client.id,
        "client_secret": secret,
        "secrets": [secret_document(stored) for stored in client.secrets],
    }
    return document, f"{client.name} has a new secret; {old}."


def _key_document(agent: Agent, key: Mapping[str, str]) -> dict[str, object]:
    used = rfc3339_or_none(agent.key_uses.get(key["kid"]))
    return {"kid": key["kid"], "alg": key["alg"], "last_used_at": used}
