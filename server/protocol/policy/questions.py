"""The port of policy engines: the question, the answer, and the verdict from the answers.

The engine answers the same question without approvals, and with the approvals that it requires. If
it allows the request without approvals, the verdict is `allow`; if only with them, it is `ask`;
otherwise it is `deny`. Owns: the port `Policy`. Never: rules; other engines can use the port.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final, Literal, Protocol, TypeAlias

from server.protocol.approvals.ceremonies import COMPARED_STEPS, CONFIRM, Ceremony, Step
from server.protocol.approvals.unusual import Code
from server.protocol.json_text import JsonValue
from server.protocol.policy import uses
from server.protocol.policy.risks import TIME_TO_LIVE, Risk, highest

Outcome: TypeAlias = Literal["allow", "ask", "deny"]
RequestFlow: TypeAlias = Literal["request", "exchange", "client_credentials", "app"]
"""The endpoint of a request: `/bc-authorize`, one of two grants of `/token`, or an app's request at
`/authorize`."""

FLOWS: Final[tuple[RequestFlow, ...]] = ("request", "exchange", "client_credentials", "app")
APP: Final = "app"
"""The flow of apps. A rule applies to this flow only if it names it."""
MAX_QUORUM: Final = 10
"""The maximum quorum of a rule."""


class PolicyFailed(Exception):
    """An engine could not answer, so nothing is allowed. The text is for the log."""


class QuestionHistory(Protocol):
    """The history of a question. The cost of a lookup MUST NOT depend on its length."""

    def known_uses(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Return which of these uses the agent has had a token for."""

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """Return the number of tokens for `use` in the last `window_ms`, but at most `enough`."""

    def unusual(self) -> frozenset[Code]:
        """Return the signals from comparing the request with the user's earlier approvals."""


@dataclass(eq=False)
class Question:
    """Whether a client may get access for a user now. Treat it as immutable."""

    flow: RequestFlow
    agent: str
    """The client ID."""
    labels: frozenset[str]
    owners: frozenset[str]
    user: str | None
    """None if the agent acts for itself."""
    resource: str
    scopes: Mapping[str, Risk]
    types: Mapping[str, Risk]
    """The action types of the details, with their risks."""
    details: Sequence[Mapping[str, JsonValue]]
    at: int
    history: QuestionHistory
    wants_pin: bool = False
    """The agent requests a PIN beyond what policy requires."""
    at_least: Risk = Risk.LOW
    """The minimum risk that the agent requests."""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Group ID → the IDs of its members."""
    interactive: bool = False
    """The agent has a screen that the user sees."""
    has_fact: bool = False
    """Whether one of the action types has a fact to type back."""

    @cached_property
    def risk(self) -> Risk:
        """The highest risk of scopes, types and `at_least`; no answer has a lower risk."""
        return highest([self.at_least, *self.scopes.values(), *self.types.values()])

    @cached_property
    def scope_names(self) -> frozenset[str]:
        """The names of the scopes; a frozenset caches its hash."""
        return frozenset(self.scopes)

    @cached_property
    def type_names(self) -> frozenset[str]:
        """The names of the action types."""
        return frozenset(self.types)

    @cached_property
    def notes(self) -> dict[object, object]:
        """A cache that the engine may use for all its answers to this question."""
        return {}

    @cached_property
    def leaves(self) -> Sequence[uses.Leaf]:
        """All values of the details."""
        return uses.leaves(self.details)

    @cached_property
    def money(self) -> Mapping[str, int]:
        """The sum of the absolute amounts in the details by currency, in minor units."""
        return uses.sum_money(self.leaves)

    @cached_property
    def unusual(self) -> frozenset[Code]:
        """The signals of the request, which are computed when a rule needs them."""
        return self.history.unusual()

    def values(self, pointer: str) -> tuple[str, ...]:
        """Return the uses of the values at a JSON pointer, in which `*` matches any index."""
        return uses.uses_at(self.leaves, pointer)


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals that a request has."""

    count: int = 0
    risk: Risk = Risk.LOW
    """The risk that was displayed to the approvers."""
    ceremony: Ceremony = CONFIRM
    by: frozenset[str] = frozenset()
    """User IDs. A deputy's approval counts as an approval of the user they act for."""
    through: Mapping[str, str] = field(default_factory=dict)
    """User in `by` → the ID of the person who cast their vote, if someone else did."""
    in_advance: bool = False
    """They come from a standing grant, created before the request, so nothing was typed."""


NO_APPROVALS: Final = Approvals()
_UNNAMED_PEOPLE: Final = tuple(f"somebody {number}" for number in range(MAX_QUORUM))
"""Placeholders for people that no rule names."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """The approvals that a request needs."""

    risk: Risk
    ceremony: Ceremony
    quorum: int
    seconds: int
    """The lifetime of the request."""
    approvers: frozenset[str] | None = None
    """The eligible approvers. None: the user that the request is for, and anybody for a quorum."""
    excluded: frozenset[str] = frozenset()
    """User IDs whose approval does not count."""
    groups: frozenset[str] = frozenset()
    """The groups that rules name in `who`."""
    extra_steps: Ceremony = CONFIRM
    """The steps that rules require in addition to those of the risk."""

    def met_by(self, approvals: Approvals, user: str | None) -> bool:
        """Return whether these approvals suffice for a request to this user.

        The quorum counts distinct people. Neither they nor the people who cast their votes may be
        excluded. If no rule names approvers, the user's own approval is required. A standing grant
        replaces the typed steps of the risk, but not those that a rule requires.
        """
        if approvals.count < self.quorum:
            return False
        waived_steps = COMPARED_STEPS - self.extra_steps if approvals.in_advance else CONFIRM
        has_steps = self.ceremony - waived_steps <= approvals.ceremony
        counted_users = self._counted(approvals)
        has_quorum = len(counted_users) >= self.quorum
        has_risk = approvals.risk.rank >= self.risk.rank
        has_user = (
            self.approvers is not None or user in {None, *counted_users} or user in self.excluded
        )
        return has_quorum and has_risk and has_steps and has_user

    def _counted(self, approvals: Approvals) -> frozenset[str]:
        return frozenset(
            user for user in approvals.by if self.counts(user, approvals.through.get(user, user))
        )

    def counts(self, user: str, caster: str) -> bool:
        """Return whether the vote of this user counts if `caster` casts it."""
        is_named = self.approvers is None or user in self.approvers
        return is_named and self.excluded.isdisjoint((user, caster))

    @property
    def eligible(self) -> frozenset[str]:
        """The eligible approvers without the excluded users."""
        return (self.approvers or frozenset()) - self.excluded

    def complete_approvals(self, user: str | None) -> Approvals:
        """Return approvals of all eligible approvers that meet the requirements."""
        others = _UNNAMED_PEOPLE[: self.quorum]
        by = (
            self.eligible if self.approvers is not None else frozenset((*others, user or others[0]))
        )
        return Approvals(self.quorum, self.risk, self.ceremony, by)


def default_requirements(question: Question, risk: Risk) -> Requirements:
    """Return the requirements of a risk if no rule requires more."""
    return Requirements(
        risk=risk,
        ceremony=_default_ceremony(question, risk),
        quorum=2 if risk is Risk.CRITICAL else 1,
        seconds=TIME_TO_LIVE[risk],
    )


def _default_ceremony(question: Question, risk: Risk) -> Ceremony:
    """Return the default steps. Only requests, not token exchanges, have a match number."""
    matched = question.interactive and question.flow == "request"
    typed = question.has_fact and question.flow != APP
    return default_steps(risk, matched=matched, typed=typed, wants_pin=question.wants_pin)


@cache
def default_steps(
    risk: Risk, *, matched: bool = False, typed: bool = False, wants_pin: bool = False
) -> Ceremony:
    """Return the steps of a risk.

    `matched` means that the agent has a screen, `typed` that a type has a fact to type back.
    """
    high = risk.rank >= Risk.HIGH.rank
    required_steps = {
        Step.MATCH: matched and risk.rank >= Risk.MEDIUM.rank,
        Step.PIN: high or wants_pin,
        Step.REASON: risk is Risk.CRITICAL,
        Step.TYPE_BACK: high and typed,
    }
    return frozenset(step for step, is_required in required_steps.items() if is_required)


def possible_steps(question: Question, ceremony: Ceremony) -> Ceremony:
    """Replace steps that are impossible for this request with the PIN.

    An agent without a screen has no match number, and an app action has no typed steps.
    """
    impossible_steps = set() if question.interactive else {Step.MATCH}
    if question.flow == APP:
        impossible_steps |= COMPARED_STEPS
    return ceremony - impossible_steps | {Step.PIN} if ceremony & impossible_steps else ceremony


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """An engine's answer to a question with some approvals."""

    allowed: bool
    rules: tuple[str, ...]
    """The IDs of the rules that decided."""
    because: str
    """The reason, for approvers."""
    requirements: Requirements | None = None
    """The approvals that would allow it. None if none are needed, or none would be enough."""


class Policy(Protocol):
    """A policy engine. If it cannot answer, it MUST raise `PolicyFailed`. It MUST NOT write."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer: ...


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """The rule set that answered."""

    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of policy for one request."""

    outcome: Outcome
    risk: Risk
    rules: tuple[str, ...]
    because: str
    source: PolicyVersion
    requirements: Requirements | None = None
    """The required approvals for `ask`, and for `allow` without a consent.

    For `deny`, these are requirements that cannot be met because too few people are eligible.
    """

    def facts(self) -> dict[str, object]:
        """Return the verdict as facts of an audit entry."""
        return {
            "outcome": self.outcome,
            "rules": list(self.rules),
            "version": self.source.version,
            "hash": self.source.hash,
        }


FAILED_RULE: Final = "policy-error"
"""The rule ID of a verdict if the engine could not answer."""


def decide(policy: Policy, question: Question, source: PolicyVersion) -> Verdict:
    """Ask the engine without approvals, then with the required ones. On errors, deny."""
    try:
        answer = policy.answer(question, NO_APPROVALS)
        needs = answer.requirements
        outcome: Outcome = "deny"
        if answer.allowed:
            outcome, needs = "allow", default_requirements(question, question.risk)
        elif needs and policy.answer(question, needs.complete_approvals(question.user)).allowed:
            outcome = "ask"
    except PolicyFailed:
        return Verdict("deny", question.risk, (FAILED_RULE,), "Policy could not answer.", source)
    risk = question.risk if needs is None else needs.risk
    return Verdict(outcome, risk, answer.rules, answer.because, source, needs)


def is_allowed(policy: Policy, question: Question, approvals: Approvals) -> bool:
    """Return whether the request is allowed with exactly these approvals. On errors, False."""
    try:
        return policy.answer(question, approvals).allowed
    except PolicyFailed:
        return False
