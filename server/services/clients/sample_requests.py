"""Sample requests that the example programs for a new agent send.

Owns: the choice of user, resource, scope and action. Never: the programs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.resources import Resource
from server.model.store import Store
from server.protocol.json_text import JsonValue
from server.protocol.resources.scopes import OPENID
from server.services.policy.previews import Previews
from server.services.refusals import Invalid


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """One scope, and example details if it requires an action type."""

    resource: str | None
    scope: str
    details: Sequence[Mapping[str, JsonValue]] = ()


IDENTITY: Final = SampleRequest(None, OPENID)
"""Requests only a user's ID. Every agent may request this."""


@dataclass(frozen=True, slots=True)
class SampleRequests:
    """Chooses sample requests."""

    store: Store

    def for_agent(self, agent: Agent) -> SampleRequest:
        """Return a request that the server accepts, preferably one without details."""
        with self.store.read() as view:
            resources = [view.directory.resource(uri) for uri in agent.resources]
        pairs = [
            (resource, scope)
            for scope in agent.scopes
            for resource in resources
            if resource and scope in resource.scopes and agent.allows(resource.uri, scope)
        ]
        return next(self._samples(agent, pairs), IDENTITY)

    def user(self, agent: Agent) -> str:
        """Return the name of a user whom the agent can ask, or a placeholder."""
        people = agent.owners if agent.asks is None else agent.asks
        with self.store.read() as view:
            groups = view.directory.members()
            user_ids = [
                user_id for person in people for user_id in sorted(groups.get(person, {person}))
            ]
            users = filter(None, map(view.directory.user, user_ids))
            return next((user.name for user in users), "USER")

    def _samples(
        self, agent: Agent, pairs: Sequence[tuple[Resource, str]]
    ) -> Iterator[SampleRequest]:
        for resource, scope in pairs:
            if scope not in resource.requires:
                yield SampleRequest(resource.uri, scope)
        for resource, scope in pairs:
            needed = resource.requires.get(scope, "")
            allowed = agent.action_types is None or needed in agent.action_types
            if allowed and (details := self._example(needed)):
                yield SampleRequest(resource.uri, scope, (details,))

    def _example(self, action_type: str) -> Mapping[str, JsonValue] | None:
        with self.store.read() as view:
            row = view.directory.action(action_type)
        try:
            return None if row is None else Previews(self.store).preview(row.document).details
        except Invalid:  # an example of it would be too large
            return None
