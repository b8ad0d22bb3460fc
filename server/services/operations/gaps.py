"""What an agent may ask for and nobody can approve: it takes more people than may say yes.

Owns: finding it, by the judgement that a request made now would get. Never: details, of which there
are none yet; a rule about them is as if it did not fit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.clients import Agent
from server.model.store import View
from server.model.users import User
from server.protocol.policy.action_types import ActionType
from server.services.approvers import eligible
from server.services.policy.judging import Judge, JudgedRequest
from server.services.policy.schemas import Schemas
from server.services.resources.targets import TokenTarget
from server.services.users import user_or_group

_SCHEMAS: Final = Schemas()
Wish = tuple[str, TokenTarget, Sequence[ActionType]]
"""A scope or an action type by its name, and the request for nothing else."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A scope or an action type that nobody can approve for an agent."""

    what: str
    need: int
    """How many people must say yes."""
    most: int
    """How many could, whoever of those whom it may ask is asked."""


def of_agent(view: View, judge: Judge, agent: Agent) -> list[Gap]:
    """Everything within its ceiling that takes too many people; what a rule forbids is no gap."""
    people = [one for one in view.users.all() if one.enabled and _may_ask(view, agent, one)]
    found = (_gap(view, judge, agent, wish, people) for wish in _wishes(view, agent))
    return [gap for gap in found if gap is not None]


def _gap(view: View, judge: Judge, agent: Agent, wish: Wish, people: Sequence[User]) -> Gap | None:
    """None as soon as there is somebody who can be asked with success."""
    what, target, actions = wish
    need = most = 0
    for user in people:
        verdict = judge.decide(view, JudgedRequest("request", agent, user, target, (), actions))
        if verdict.needs is None:
            continue
        need = verdict.needs.quorum
        count = eligible.find_eligible(view, verdict.needs, agent, user).count
        if verdict.outcome == "allow" or count >= need:
            return None
        most = max(most, count)
    return Gap(what, need, most) if need else None


def _wishes(view: View, agent: Agent) -> Iterator[Wish]:
    there = [one for uri in agent.resources if (one := view.directory.resource(uri)) is not None]
    for resource in there:
        for name in resource.scopes:
            if agent.may(resource.uri, name):
                yield name, TokenTarget(resource, (name,)), ()
    for row in view.actions.all() if there else ():
        if agent.action_types is None or row.type in agent.action_types:
            yield row.type, TokenTarget(there[0], ()), _SCHEMAS.known(view.directory, [row.type])


def _may_ask(view: View, agent: Agent, user: User) -> bool:
    return agent.asks is None or user_or_group.includes(view, user.id, agent.asks)
