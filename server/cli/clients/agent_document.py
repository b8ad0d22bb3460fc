"""An agent as JSON and as lines of text."""

from collections.abc import Mapping
from typing import Final

from server.cli import members
from server.cli.opening import OpenInstallation
from server.cli.output import Document, moment, sheet, with_names
from server.lazy_imports import lazily
from server.model.clients import Agent, App, Secret
from server.services.clients.agent_members import AGENT_MEMBERS

with lazily():
    from server.http.clients import agent_wire
    from server.services.clients.agents import NewSecret
    from server.services.notifications.request_limits import Pause

PEOPLE: Final = ("owners", "asks")
"""The members of an agent that are users and groups."""


def names_by_id(admin: OpenInstallation) -> dict[str, str]:
    """Return the names of all users and groups by ID."""
    people = {user.id: user.name for user in admin.users.all()}
    return people | {group.id: group.name for group in admin.groups.all()}


def agent_document(agent: Agent, names: Mapping[str, str]) -> dict[str, object]:
    """Return an agent as JSON, with people by name."""
    return with_names(agent_wire.document(agent, names), *PEOPLE)


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


def secret_line(secret: Secret) -> str:
    """Return the line about a secret, without the secret."""
    return (
        f"…{secret.hint}  created {moment(secret.created_at)}, "
        f"works until {moment(secret.expires_at, never='rotated')}, "
        f"last used {moment(secret.last_used_at)}"
    )


def with_secret(document: Mapping[str, object], secret: str) -> Mapping[str, object]:
    """Return the JSON of a client with its new secret first, if it has one."""
    if not secret:
        return document
    return {"client_id": document["client_id"], "client_secret": secret, **document}


def secret_document(admin: OpenInstallation, new: NewSecret) -> Document:
    """Return an agent as JSON, with its new secret."""
    return lambda: with_secret(agent_document(new.agent, names_by_id(admin)), new.secret)


def new_secret_line(client: Agent | App) -> str:
    """Return the line that says how long the old secret works."""
    ends = max((old.expires_at for old in client.secrets if old.expires_at), default=None)
    old = f"the old one works until {moment(ends)}" if ends else "old secrets no longer work"
    return f"{client.name} has a new secret; {old}."
