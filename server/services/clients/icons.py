"""Agents' icons, which are shown next to their names, never instead of them."""

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
    f"Use a still, square PNG or WebP of {icons.MIN_SIDE} to {icons.MAX_SIDE} pixels and at most "
    f"{icons.MAX_BYTES // 1024} kB"
)


@dataclass(frozen=True, slots=True)
class Icons:
    """Reads icons."""

    store: Store

    def get(self, digest: str) -> Icon | None:
        """Return the icon with this hash, if an agent uses it."""
        with self.store.read() as view:
            return view.icons.get(digest)

    def path_for(self, agent_id: str) -> str:
        """Return the path of an agent's icon; "" if it has none."""
        with self.store.read() as view:
            agent = view.directory.agent(agent_id)
        return path(agent) or "" if agent is not None else ""


def path(agent: Agent) -> str | None:
    """Return the path of an agent's icon. Each icon has its own path, so it can be cached."""
    return None if agent.icon is None else path_of(agent.icon)


def path_of(digest: str) -> str:
    """Return the path of the icon with this hash."""
    return f"/icons/{digest}"


def digest(raw: bytes) -> str | None:
    """Return the hash of a valid icon; None for an empty file. Raises `Invalid`."""
    icon = _read(raw)
    return None if icon is None else icon.digest


def store(tx: Unit, raw: bytes) -> None:
    """Store an agent's new icon, and delete the icons that no agent uses."""
    if (icon := _read(raw)) is not None:
        tx.icons.keep(icon)
    tx.icons.prune()


def announce_change(tx: Unit, before: Agent, agent: Agent) -> None:
    """Notify the owners about a changed icon."""
    if agent.icon != before.icon:
        tx.react(AgentAnnounced(agent.id, CHANGED, agent.owners))


def _read(raw: bytes) -> Icon | None:
    if not raw:
        return None
    try:
        return icons.read(raw)
    except ValueError as error:
        raise Invalid(f"The icon {error}. {_REMEDY}.", member="icon") from None
