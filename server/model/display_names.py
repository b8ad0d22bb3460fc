"""The display name of a client_id: an agent, an app, or the terminal app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from server.model.clients import Agent, App
from server.model.store import Directory
from server.protocol.names import APPROVER_CLIENT, is_app

TERMINAL: Final = "Sayso terminal app"


@dataclass(frozen=True, slots=True)
class Party:
    """An active client. `owners` are names."""

    id: str
    name: str
    kind: Literal["agent", "app"]
    owners: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    allows: Callable[[str, str], bool]
    """Returns whether its permissions include this resource and scope."""
    verified: bool = True
    """Whether an administrator registered it."""


def find(directory: Directory, client_id: str, now: int) -> Party | None:
    """Return the client if it exists and is active at this time."""
    agent, app = directory.agent(client_id), directory.app(client_id)
    if agent is not None and agent.active(now):
        owners = [directory.user(owner) for owner in agent.owners]
        return _party(agent, tuple(owner.name for owner in owners if owner is not None))
    return None if app is None or not app.active(now) else _party(app)


def name_of(directory: Directory, client_id: str) -> str:
    """Return the name of a client for screens, even after it is deleted."""
    if client_id == APPROVER_CLIENT:
        return TERMINAL
    client = directory.agent(client_id) or directory.app(client_id)
    if client is not None:
        return client.name
    return "(deleted app)" if is_app(client_id) else "(deleted agent)"


def _party(client: Agent | App, owners: tuple[str, ...] = ()) -> Party:
    return Party(
        id=client.id,
        name=client.name,
        kind="agent" if isinstance(client, Agent) else "app",
        owners=owners,
        resources=client.resources,
        scopes=client.scopes,
        allows=client.allows,
        verified=isinstance(client, Agent) or client.verified,
    )
