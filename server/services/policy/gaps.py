"""What an agent may ask for and nobody can approve: it takes more people than may say yes.

Owns: finding it, by the judgement that a request made now would get. Never: details, of which there
are none yet; a rule about them is as if it did not fit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol.actions import ActionType
from server.services import eligible, members
from server.services.policy.judging import Case, Judge
from server.services.ports import View
from server.services.records import Agent, User
from server.services.schemas import Schemas
from server.services.targets import Target

_SCHEMAS: Final = Schemas()
Wish = tuple[str, Target, Sequence[ActionType]]
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
        verdict = judge.decide(view, Case("request", agent, user, target, (), actions))
        if verdict.needs is None:
            continue
        need = verdict.needs.quorum
        count = eligible.people(view, verdict.needs, agent, user).count
        if verdict.outcome == "allow" or count >= need:
            return None
        most = max(most, count)
    return Gap(what, need, most) if need else None


def _wishes(view: View, agent: Agent) -> Iterator[Wish]:
    there = [one for uri in agent.resources if (one := view.directory.resource(uri)) is not None]
    for resource in there:
        for name in resource.scopes:
            if agent.may(resource.uri, name):
                yield name, Target(resource, (name,)), ()
    for row in view.actions.all() if there else ():
        if agent.action_types is None or row.type in agent.action_types:
            yield row.type, Target(there[0], ()), _SCHEMAS.known(view.directory, [row.type])


def _may_ask(view: View, agent: Agent, user: User) -> bool:
    return agent.asks is None or members.among(view, user.id, agent.asks)
