"""Evaluates policy for enforcement and explanation, and again for pending requests.

Owns: building the question for a request with its history; the compiled engine of the rule set in
force. Never: acting on a verdict.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from server.model.approvals import Approval
from server.model.clients import Agent, App
from server.model.granted import effective_terms
from server.model.policy import PolicyRow
from server.model.ports import Secrets
from server.model.store import Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals.unusual import Code
from server.protocol.json_text import JsonValue
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.questions import (
    Approvals,
    Policy,
    PolicyAnswer,
    PolicyFailed,
    PolicyVersion,
    Question,
    QuestionHistory,
    RequestFlow,
    Requirements,
    Verdict,
    decide,
    is_allowed,
)
from server.protocol.policy.risks import Risk, highest
from server.services.policy import builtin, history
from server.services.policy.documents import InvalidPolicy
from server.services.policy.history_keys import RequestToCompare
from server.services.policy.schemas import Schemas
from server.services.resources import targets
from server.services.resources.targets import TokenTarget


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """A valid request to evaluate."""

    flow: RequestFlow
    agent: Agent | App
    user: User | None
    target: TokenTarget
    details: Sequence[Mapping[str, JsonValue]] = ()
    actions: Sequence[ActionType] = ()
    """The action types of the details."""
    wants_pin: bool = False
    at_least: Risk = Risk.LOW
    """The minimum risk that the agent requires."""
    past: str | None = None
    """The signals stored with the request, as JSON text; None to compute the current ones."""

    @property
    def risk(self) -> Risk:
        """The highest risk of scopes and types."""
        return highest([self.target.risk, *(action.risk for action in self.actions)])


@dataclass(frozen=True, slots=True)
class UseHistory:
    """An agent's history at a time: its tokens, and what people approved."""

    view: View
    secrets: Secrets
    case: PolicyRequest
    now: int
    until: int
    """The time of the newest tokens that count."""

    def known_uses(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Return the uses for which the agent has already had a token."""
        return self.view.uses.known_uses(self.case.agent.id, uses, self.until)

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """Return the number of tokens with this use in the window; counting stops at `enough`."""
        since = self.now - window_ms
        return self.view.uses.count(self.case.agent.id, use, since, self.until, enough)

    def unusual(self) -> frozenset[Code]:
        """Return the signals stored with the request, or else the current ones."""
        if self.case.past is None:
            return current_codes(self.view, self.secrets, self.case)
        return history.stored_codes(self.case.past)


_MAX_TIME: Final = 2**63 - 1
"""The latest time that the database can store."""
_UNKNOWN_USER = User("", "", None, (), "enabled", 0)
"""A user without history."""


def current_codes(view: View, secrets: Secrets, case: PolicyRequest) -> frozenset[Code]:
    """Return a request's current signals; none if an agent acts for itself or an app asks.

    An unknown user has no history. Details without their action types are not compared.
    """
    if case.flow == "client_credentials" or not isinstance(case.agent, Agent):
        return frozenset()
    types_are_known = len(case.details) == len(case.actions)
    details, actions = (case.details, case.actions) if types_are_known else ((), ())
    to_compare = RequestToCompare(
        case.agent, case.user or _UNKNOWN_USER, case.target, details, actions
    )
    return history.compare(view, secrets, to_compare).unusual.codes


@dataclass(frozen=True, slots=True)
class Engine:
    """A policy engine with its rule set's version."""

    policy: Policy
    source: PolicyVersion
    counts_tokens: bool = True
    """Whether it may count the agent's tokens."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates policy. `engine_override` replaces the engine in force, for trials."""

    secrets: Secrets
    engine_override: Engine | None = None
    engines: dict[str, Engine] = field(default_factory=dict)
    """A cache of the newest engine, by hash."""
    schemas: Schemas = field(default_factory=Schemas)
    """Validates the details of requests."""

    def decide(
        self,
        view: View,
        case: PolicyRequest,
        at: int | None = None,
        facts: QuestionHistory | None = None,
    ) -> Verdict:
        """Evaluate a request, optionally at an earlier time or with a different history."""
        engine, policy_question = self._engine(view), self.question(view, case, at)
        if facts is not None:
            policy_question = replace(policy_question, history=facts)
        return decide(engine.policy, policy_question, engine.source)

    def holds(self, view: View, case: PolicyRequest, approvals: Approvals) -> bool:
        """Return whether the request is allowed with exactly these approvals."""
        return is_allowed(self._engine(view).policy, self.question(view, case), approvals)

    def lock_counts(self, tx: Unit, agent: Agent) -> None:
        """Serialize issuing this agent's tokens if a rule counts them, so each counts the others.

        Call it before anything else is locked, and before the policy is evaluated.
        """
        if self._engine(tx).counts_tokens:
            tx.lock(f"tokens of {agent.id}")

    def question(self, view: View, case: PolicyRequest, at: int | None = None) -> Question:
        """Return the question for a request, now or at an earlier time."""
        # Units of work that this one waited for may have issued tokens after `view.now`.
        now, until = (view.now, _MAX_TIME) if at is None else (at - 1, at - 1)
        scopes, agent = case.target.resource.scopes, case.agent
        return Question(
            flow=case.flow,
            agent=agent.id,
            labels=frozenset(agent.labels if isinstance(agent, Agent) else ()),
            owners=frozenset(agent.owners if isinstance(agent, Agent) else ()),
            user=None if case.user is None else case.user.id,
            resource=case.target.resource.uri,
            scopes={name: scopes[name] for name in case.target.scope},
            types={action.type: action.risk for action in case.actions},
            details=case.details,
            at=view.now if at is None else at,
            history=UseHistory(view, self.secrets, case, now, until),
            members=view.directory.members(),
            wants_pin=case.wants_pin,
            at_least=case.at_least,
            interactive=isinstance(agent, Agent) and agent.interactive,
            has_fact=any(action.has_type_back for action in case.actions),
        )

    def as_of_today(self, view: View, approval: Approval) -> PolicyRequest | None:
        """Return the pending request as if it were sent now; None if it would be refused."""
        agent = view.directory.agent(approval.agent_id)
        user = view.directory.user(approval.user_id or "")
        if agent is None:
            return None
        try:
            terms = effective_terms(approval)
            details = terms.details
            target = targets.resolve_stored(view.directory, agent, approval.resource, terms.scope)
            actions = self.schemas.check(view.directory, details, agent.action_types)
            targets.check_required_types(target, frozenset(action.type for action in actions))
        except errors.ProtocolError:
            return None
        return PolicyRequest("request", agent, user, target, details, actions, past=approval.past)

    def current_requirements(self, view: View, approval: Approval) -> Requirements | None:
        """Return the current requirements for approving a request; None if nobody can."""
        case = self.as_of_today(view, approval)
        return None if case is None else self.decide(view, case).requirements

    def _engine(self, view: View) -> Engine:
        if self.engine_override is not None:
            return self.engine_override
        row = view.directory.policy() or builtin.default_row()
        if row.hash not in self.engines:
            engine = engine_of(row)
            self.engines.clear()
            self.engines[row.hash] = engine
        return self.engines[row.hash]


class _UnreadableEngine:
    """The engine for an unreadable rule set, which a different version of Sayso stored."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer:
        raise PolicyFailed(f"{question.flow}, {approvals.count}: the rule set cannot be read")


def engine_of(row: PolicyRow) -> Engine:
    """Return the engine for a stored rule set; an unreadable rule set does not allow anything."""
    source = PolicyVersion(row.version, row.hash)
    try:
        engine = builtin.compile_row(row)
        return Engine(engine, source, engine.counts_tokens)
    except InvalidPolicy:
        return Engine(_UnreadableEngine(), source)
