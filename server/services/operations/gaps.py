"""Finds an agent's permissions that nobody can approve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.model.clients import Agent
from server.model.store import View
from server.model.users import User
from server.protocol.policy.action_types import ActionType
from server.services.approvers import answer_sources
from server.services.policy.evaluation import Evaluator, PolicyRequest
from server.services.resources.targets import TokenTarget

CandidateRequest = tuple[str, TokenTarget, Sequence[ActionType]]
"""The name of a scope or action type, and a request for only that."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A scope or an action type that nobody can approve for an agent."""

    what: str
    need: int
    """The number of approvals that it needs."""
    most: int
    """The highest number of eligible approvers for any person that the agent may ask."""


def of_agent(view: View, evaluator: Evaluator, agent: Agent, users: Sequence[User]) -> list[Gap]:
    """Return all gaps in the agent's permissions, except those that a rule denies."""
    people = [
        user for user in users if user.enabled and view.directory.includes(agent.asks, user.id)
    ]
    candidates = _candidates(view, evaluator, agent)
    gaps = (_gap(view, evaluator, agent, candidate, people) for candidate in candidates)
    return [gap for gap in gaps if gap is not None]


def _gap(
    view: View,
    evaluator: Evaluator,
    agent: Agent,
    candidate: CandidateRequest,
    people: Sequence[User],
) -> Gap | None:
    """Return the gap; None if the candidate can be approved for at least one person."""
    what, target, actions = candidate
    need = most = 0
    for user in people:
        verdict = evaluator.decide(view, PolicyRequest("request", agent, user, target, (), actions))
        if verdict.requirements is None:
            continue
        need = verdict.requirements.quorum
        count = answer_sources.find_eligible(view, verdict.requirements, agent, user).count
        if verdict.outcome == "allow" or count >= need:
            return None
        most = max(most, count)
    return Gap(what, need, most) if need else None


def _candidates(view: View, evaluator: Evaluator, agent: Agent) -> Iterator[CandidateRequest]:
    registered = (view.directory.resource(uri) for uri in agent.resources)
    resources = [resource for resource in registered if resource is not None]
    for resource in resources:
        for name in resource.scopes:
            if agent.allows(resource.uri, name):
                yield name, TokenTarget(resource, (name,)), ()
    for row in view.actions.all() if resources else ():
        if agent.action_types is None or row.type in agent.action_types:
            yield (
                row.type,
                TokenTarget(resources[0], ()),
                evaluator.schemas.registered_types(view.directory, [row.type]),
            )
