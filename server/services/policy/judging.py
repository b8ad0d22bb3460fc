"""The one place where policy is asked: whoever enforces and whoever explains come here.

Owns: making the question out of what is wanted, with the history of its agent; the engine of the
rule set in force, compiled once for each. Never: what follows from a verdict.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache

from server.model.clients import Agent, App
from server.model.policy import PolicyRow
from server.model.ports import Secrets
from server.model.store import View
from server.model.users import User
from server.protocol.approvals.unusual import Code
from server.protocol.json_text import JsonValue
from server.protocol.policy import typed_facts
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import (
    Approvals,
    Facts,
    Policy,
    PolicyAnswer,
    PolicyFailed,
    Question,
    Source,
    Verdict,
    Way,
    decide,
    holds,
)
from server.protocol.policy.risks import Risk, highest
from server.services.policy import binding, history
from server.services.policy.documents import InvalidPolicy
from server.services.policy.history_keys import Request
from server.services.resources.targets import TokenTarget


@dataclass(frozen=True, slots=True)
class JudgedRequest:
    """What somebody wants, as it was found to be in order."""

    way: Way
    agent: Agent | App
    user: User | None
    target: TokenTarget
    details: Sequence[Mapping[str, JsonValue]] = ()
    actions: Sequence[ActionType] = ()
    """The types of the details."""
    wants_pin: bool = False
    at_least: Risk = Risk.LOW
    """The agent raises it to this."""
    past: str | None = None
    """What was unusual when it was asked, as the request keeps it; None for what is unusual now."""

    @property
    def risk(self) -> Risk:
        """The highest risk of scopes and types."""
        return highest([self.target.risk, *(action.risk for action in self.actions)])


@dataclass(frozen=True, slots=True)
class History:
    """What the agent did up to a moment, and what people approved of it."""

    view: View
    secrets: Secrets
    case: JudgedRequest
    until: int

    def seen(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Those of these that it got a token for."""
        return self.view.uses.seen(self.case.agent.id, uses, self.until)

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """How often it did in the window; counting stops at `enough`."""
        since = self.until - window_ms
        return self.view.uses.count(self.case.agent.id, use, since, self.until, enough)

    def unusual(self) -> frozenset[Code]:
        """What was unusual when it was asked, else what is now."""
        if self.case.past is None:
            return unusual_now(self.view, self.secrets, self.case)
        return history.unusual_of(self.case.past)


_NOBODY = User("", "", None, (), "enabled", 0)
"""Somebody who has approved nothing yet."""


def unusual_now(view: View, secrets: Secrets, case: JudgedRequest) -> frozenset[Code]:
    """What is unusual about a case; nothing where an agent acts for itself, or an app asks.

    Somebody whom nobody knows is somebody who never approved anything. Details that only the log
    has are compared with nothing.
    """
    if case.way == "client_credentials" or not isinstance(case.agent, Agent):
        return frozenset()
    whole = len(case.details) == len(case.actions)
    details, actions = (case.details, case.actions) if whole else ((), ())
    asked = Request(case.agent, case.user or _NOBODY, case.target, details, actions)
    return history.look(view, secrets, asked).unusual.codes


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine and the rule set that it answers by."""

    policy: Policy
    source: Source


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks policy. With `instead`, another one than is in force: a trial, or another engine."""

    secrets: Secrets
    instead: Engine | None = None
    engines: dict[str, Engine] = field(default_factory=dict)
    """By their hash; the newest alone."""

    def decide(
        self, view: View, case: JudgedRequest, at: int | None = None, facts: Facts | None = None
    ) -> Verdict:
        """What policy says to this case; as of a moment, or with a history that is told."""
        engine, asked = self._engine(view), self.question(view, case, at)
        if facts is not None:
            asked = replace(asked, facts=facts)
        return decide(engine.policy, asked, engine.source)

    def holds(self, view: View, case: JudgedRequest, approvals: Approvals) -> bool:
        """Reports whether it is allowed with exactly these approvals."""
        return holds(self._engine(view).policy, self.question(view, case), approvals)

    def question(self, view: View, case: JudgedRequest, at: int | None = None) -> Question:
        """The question that a case puts to an engine, now or at a moment of the past."""
        until = view.now if at is None else at - 1
        facts = History(view, self.secrets, case, until)
        return question(case, view.now if at is None else at, facts, view.directory.members())

    def _engine(self, view: View) -> Engine:
        if self.instead is not None:
            return self.instead
        row = view.directory.policy() or _default()
        if row.hash not in self.engines:
            made = engine_of(row)
            self.engines.clear()
            self.engines[row.hash] = made
        return self.engines[row.hash]


class _Broken:
    """Stands for a rule set that cannot be read, because another version of the program set it."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer:
        raise PolicyFailed(f"{question.way}, {approvals.count}: the rule set cannot be read")


def engine_of(row: PolicyRow) -> Engine:
    """The engine of a stored rule set; one that cannot be read never allows."""
    source = Source(row.version, row.hash)
    try:
        return Engine(binding.engine(row), source)
    except InvalidPolicy:
        return Engine(_Broken(), source)


def question(
    case: JudgedRequest, at: int, facts: Facts, members: Mapping[str, frozenset[str]]
) -> Question:
    """The question that a case puts to an engine at a moment, with what was before it."""
    scopes, agent = case.target.resource.scopes, case.agent
    return Question(
        way=case.way,
        agent=agent.id,
        labels=frozenset(agent.labels if isinstance(agent, Agent) else ()),
        owners=frozenset(agent.owners if isinstance(agent, Agent) else ()),
        user=None if case.user is None else case.user.id,
        resource=case.target.resource.uri,
        scopes={name: scopes[name] for name in case.target.scope},
        types={action.type: action.risk for action in case.actions},
        details=case.details,
        at=at,
        facts=facts,
        members=members,
        wants_pin=case.wants_pin,
        at_least=case.at_least,
        interactive=isinstance(agent, Agent) and agent.interactive,
        has_fact=typed_facts.are_named(case.actions),
    )


@cache
def _default() -> PolicyRow:
    return binding.default_row()
