"""The list of agents that need an owner or a review.

Owns: the reasons to list an agent. Never: changing it (`clients`).
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from server.model.clients import Agent
from server.model.store import Store, View
from server.model.users import User
from server.services import paging
from server.services.clients import owners
from server.services.clients.client_names import find_agent
from server.services.incidents import orphan_quarantine
from server.services.paging import ResultPage
from server.services.server_policy import ServerPolicy

AWAY_MS: Final = 90 * 24 * 60 * 60 * 1000
"""An owner who was not seen for this long is considered away."""

OrphanReason: TypeAlias = Literal["no_owner", "owner_away", "review_due", "expired"]


@dataclass(frozen=True, slots=True)
class SeenOwner:
    """An owner, and the last time they used a device or signed in, in milliseconds."""

    user: User
    seen_at: int | None


@dataclass(frozen=True, slots=True)
class Orphan:
    """An agent without an enabled owner, or one that is due for review or has expired."""

    agent: Agent
    owners: tuple[SeenOwner, ...]
    why: tuple[OrphanReason, ...]
    """All reasons, most serious first."""
    quarantine_at: int | None
    """The end of its grace period, if it has one."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """Lists agents that need an owner or a review."""

    store: Store
    server_policy: ServerPolicy

    def all(self) -> list[Orphan]:
        """Return all listed agents, by name."""
        with self.store.read() as view:
            return self._list_orphans(view, view.agents.all())

    def page(self, after: str, limit: int, *, owner: str | None = None) -> ResultPage[Orphan]:
        """Return a page of agents after this name; `owner` limits it to one user's agents."""
        with self.store.read() as view:
            agents = view.agents.all() if owner is None else view.agents.owned_by(owner)
            orphans = self._list_orphans(view, agents)
        return paging.page_after(orphans, lambda orphan: orphan.agent.name.casefold(), after, limit)

    def grace_end(self, name_or_id: str) -> int | None:
        """Return the end of an agent's grace period, if it has one. Raises `NotFound`."""
        with self.store.read() as view:
            return orphan_quarantine.grace_ends_at(
                view, find_agent(view, name_or_id), self.server_policy
            )

    def _list_orphans(self, view: View, agents: list[Agent]) -> list[Orphan]:
        orphans = (self._to_orphan(view, agent) for agent in agents)
        return [orphan for orphan in orphans if orphan.why]

    def _to_orphan(self, view: View, agent: Agent) -> Orphan:
        seen = tuple(
            SeenOwner(user, _seen_at(view, user)) for user in owners.list_owners(view, agent)
        )
        return Orphan(
            agent,
            seen,
            _why(agent, seen, view.now),
            orphan_quarantine.grace_ends_at(view, agent, self.server_policy),
        )


def _why(agent: Agent, owners: tuple[SeenOwner, ...], now: int) -> tuple[OrphanReason, ...]:
    """Return why to list an agent. A disabled agent is listed only without an enabled owner."""
    enabled = [owner for owner in owners if owner.user.enabled]
    seen = [owner.user.created_at if owner.seen_at is None else owner.seen_at for owner in enabled]
    is_not_disabled = agent.state != "disabled"
    reasons: dict[OrphanReason, bool] = {
        "no_owner": not enabled,
        "owner_away": is_not_disabled and bool(seen) and max(seen) <= now - AWAY_MS,
        "review_due": is_not_disabled and agent.review_at is not None and agent.review_at <= now,
        "expired": is_not_disabled and agent.expires_at is not None and agent.expires_at <= now,
    }
    return tuple(why for why, applies in reasons.items() if applies)


def _seen_at(view: View, user: User) -> int | None:
    """Return the last time that the user used a device or the password."""
    at_devices = (device.last_seen_at for device in view.devices.of_user(user.id))
    password = view.passwords.get(user.id)
    by_password = None if password is None else password.used_at
    return max((at for at in (*at_devices, by_password) if at is not None), default=None)
