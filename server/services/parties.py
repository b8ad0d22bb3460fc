"""Who a client_id stands for, in the words of a screen: an agent, an app, or the terminal app."""

from dataclasses import dataclass
from typing import Final, Literal

from server.protocol.names import APPROVER_CLIENT
from server.services.ports import Directory
from server.services.records import Agent

TERMINAL: Final = "Sayso terminal app"


@dataclass(frozen=True, slots=True)
class Party:
    """A client that may get something now. `owners` are names."""

    id: str
    name: str
    kind: Literal["agent", "app"]
    owners: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]

    def may(self, resource: str, scope: str) -> bool:
        """Reports whether its ceiling has this scope at this resource."""
        return resource in self.resources and scope in self.scopes


def find(directory: Directory, client_id: str, now: int) -> Party | None:
    """The client, if it is there and may act at this moment."""
    agent = directory.agent(client_id)
    return None if agent is None or not agent.active(now) else _agent(directory, agent)


def name_of(directory: Directory, client_id: str) -> str:
    """What a screen calls this client, also when it is gone."""
    if client_id == APPROVER_CLIENT:
        return TERMINAL
    agent = directory.agent(client_id)
    return "(deleted agent)" if agent is None else agent.name


def _agent(directory: Directory, agent: Agent) -> Party:
    owners = [directory.user(owner) for owner in agent.owners]
    return Party(
        id=agent.id,
        name=agent.name,
        kind="agent",
        owners=tuple(owner.name for owner in owners if owner is not None),
        resources=agent.resources,
        scopes=agent.scopes,
    )
