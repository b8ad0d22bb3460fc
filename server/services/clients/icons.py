"""The pictures of agents, which people are shown beside their names and never instead of them."""

from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.reactions import AgentAnnounced
from server.model.store import Store, Unit
from server.protocol.clients import icons
from server.protocol.clients.icons import Icon
from server.services.refusals import Invalid

CHANGED: Final = "agent.icon_changed"
_REMEDY: Final = (
    f"Give a still, square PNG or WebP of {icons.LEAST_SIDE} to {icons.MOST_SIDE} pixels and at "
    f"most {icons.MOST_BYTES // 1024} kB"
)


@dataclass(frozen=True, slots=True)
class Icons:
    """Hands them out."""

    store: Store

    def get(self, digest: str) -> Icon | None:
        """The picture of this hash, while some agent has it."""
        with self.store.read() as view:
            return view.icons.get(digest)

    def of(self, agent_id: str) -> str:
        """Where the picture of an agent lies on this server; "" when it has none."""
        with self.store.read() as view:
            agent = view.directory.agent(agent_id)
        return path(agent) or "" if agent is not None else ""


def path(agent: Agent) -> str | None:
    """Where its picture lies: another place for each picture, so that one may be kept for good."""
    return None if agent.icon is None else path_of(agent.icon)


def path_of(digest: str) -> str:
    """Where the picture of this hash lies."""
    return f"/icons/{digest}"


def digest(raw: bytes) -> str | None:
    """The hash of a picture that is taken; None for no picture. Raises `Invalid`."""
    found = _read(raw)
    return None if found is None else found.digest


def keep(tx: Unit, raw: bytes) -> None:
    """Store the picture that an agent was just given, and drop those that none has any more."""
    if (found := _read(raw)) is not None:
        tx.icons.keep(found)
    tx.icons.prune()


def tell(tx: Unit, before: Agent, agent: Agent) -> None:
    """Whoever answers for an agent learns that people are shown something else."""
    if agent.icon != before.icon:
        tx.react(AgentAnnounced(agent.id, CHANGED, agent.owners))


def _read(raw: bytes) -> Icon | None:
    if not raw:
        return None
    try:
        return icons.read(raw)
    except ValueError as error:
        raise Invalid(f"The icon {error}. {_REMEDY}: --icon FILE", member="icon") from None
