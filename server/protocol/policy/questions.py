"""What policy is asked, what it answers, and how answers become a verdict.

Approvals are context: an engine is asked the same question with nobody's approval and with those
that it says it needs. Allowed at once is `allow`; allowed with approvals is `ask`; else `deny`.
Owns: the port `Policy`. Never: a rule; another engine may stand behind the port.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal, Protocol, TypeAlias

from server.protocol.approvals.ceremonies import COMPARED_STEPS, CONFIRM, Ceremony, Step
from server.protocol.approvals.unusual import Code
from server.protocol.json_text import JsonValue
from server.protocol.lazy import lazy
from server.protocol.policy import uses
from server.protocol.policy.risks import TIME_TO_LIVE, Risk, highest

Outcome: TypeAlias = Literal["allow", "ask", "deny"]
Way: TypeAlias = Literal["request", "exchange", "client_credentials", "app"]
"""By which door something is wanted: `/bc-authorize`, one of two grants of `/token`, or by an app
of people at `/authorize`."""

WAYS: Final[tuple[Way, ...]] = ("request", "exchange", "client_credentials", "app")
APP: Final = "app"
"""The one way that is no agent's: a rule is about it only if it says so."""
MOST_PEOPLE: Final = 10
"""How many people's yes a rule may demand."""


class PolicyFailed(Exception):
    """An engine could not answer. That never allows; the text is for the log."""


class Facts(Protocol):
    """What was before. Each answer MUST cost the same however much that was."""

    def seen(self, uses: Sequence[str]) -> AbstractSet[str]:
        """Those of these uses that the agent got a token for."""

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """How often it did in the last `window_ms`; counting stops at `enough`."""

    def unusual(self) -> frozenset[Code]:
        """What is unusual about the question by what its person approved before."""


@dataclass(eq=False)
class Question:
    """Whether this agent may have this, for this person, now. Nobody changes one that is made."""

    way: Way
    agent: str
    """Client ids and user ids are what people and agents are compared by."""
    labels: frozenset[str]
    owners: frozenset[str]
    user: str | None
    """None when the agent acts for itself."""
    resource: str
    scopes: Mapping[str, Risk]
    types: Mapping[str, Risk]
    """The action types of the details, with their risks."""
    details: Sequence[Mapping[str, JsonValue]]
    at: int
    facts: Facts
    wants_pin: bool = False
    """The agent asks for more than it would have to."""
    at_least: Risk = Risk.LOW
    """Likewise: it is no less than this."""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Group ids → the user ids of who is in the group."""
    interactive: bool = False
    """The agent has a screen that the person looks at."""
    has_fact: bool = False
    """One of the types says which fact is typed back."""

    @lazy
    def risk(self) -> Risk:
        """The highest risk of scopes and types, or the agent's own: the floor of every answer."""
        return highest([self.at_least, *self.scopes.values(), *self.types.values()])

    @lazy
    def scope_names(self) -> frozenset[str]:
        """The scopes, which a set that knows its hash looks up faster."""
        return frozenset(self.scopes)

    @lazy
    def type_names(self) -> frozenset[str]:
        """The types of the details."""
        return frozenset(self.types)

    @lazy
    def notes(self) -> dict[object, object]:
        """Where an engine remembers what it found out, between its answers to this question."""
        return {}

    @lazy
    def leaves(self) -> Sequence[uses.Leaf]:
        """Every value of the details."""
        return uses.leaves(self.details)

    @lazy
    def money(self) -> Mapping[str, int]:
        """Currency → the sum of all amounts of the details, in minor units, signs left out."""
        return uses.summed(self.leaves)

    @lazy
    def unusual(self) -> frozenset[Code]:
        """What is unusual about it; looked up when a rule wants to know."""
        return self.facts.unusual()

    def values(self, pointer: str) -> tuple[str, ...]:
        """The uses that the values at a JSON pointer are, `*` for every index."""
        return uses.at(self.leaves, pointer)


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who has said yes, and after what."""

    count: int = 0
    risk: Risk = Risk.LOW
    """At which level it was shown to them."""
    ceremony: Ceremony = CONFIRM
    by: frozenset[str] = frozenset()
    """User ids; a deputy's yes is that of whom they stand in for."""
    through: Mapping[str, str] = field(default_factory=dict)
    """Of these, those whose yes somebody else gave in their place → who that was."""
    ahead: bool = False
    """They were given before the request was there, of which nothing could be typed."""


NOBODY: Final = Approvals()
_SOMEBODY: Final = tuple(f"somebody {place}" for place in range(MOST_PEOPLE))
"""Stand for people whom no rule names."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What it takes to be allowed."""

    risk: Risk
    ceremony: Ceremony
    quorum: int
    seconds: int
    """How long the request waits for its answer."""
    who: frozenset[str] | None = None
    """User ids of those whose yes counts. None: the person it is for, and beside them anybody."""
    excluded: frozenset[str] = frozenset()
    """User ids of those whose yes never counts."""
    groups: frozenset[str] = frozenset()
    """The groups among those who are named."""
    named: Ceremony = CONFIRM
    """The steps that a rule names, rather than the level of risk."""

    def met_by(self, approvals: Approvals, user: str | None) -> bool:
        """Reports whether these approvals are enough for a request in this person's name.

        So many distinct people must have said yes, and neither they nor who said it in their place
        may be excluded. Where no rule says whose yes counts, theirs must
        be among them: nobody else speaks for a person unless policy says so. A yes given ahead
        stands for what the level has people type, not for what a rule wants typed each time.
        """
        if approvals.count < self.quorum:
            return False
        spared = COMPARED_STEPS - self.named if approvals.ahead else CONFIRM
        strong = self.ceremony - spared <= approvals.ceremony
        counted = self._counted(approvals)
        enough = len(counted) >= self.quorum
        shown = approvals.risk.rank >= self.risk.rank
        spoken = self.who is not None or user in {None, *counted} or user in self.excluded
        return enough and shown and strong and spoken

    def _counted(self, approvals: Approvals) -> frozenset[str]:
        lent = {one for one, by in approvals.through.items() if by in self.excluded}
        by = approvals.by - lent
        return by - self.excluded if self.who is None else self.left & by

    @property
    def left(self) -> frozenset[str]:
        """Of those who are named, whose yes counts."""
        return (self.who or frozenset()) - self.excluded

    def given(self, user: str | None) -> Approvals:
        """What there would be if everybody whose yes counts gave it as demanded."""
        others = _SOMEBODY[: self.quorum]
        by = self.left if self.who is not None else frozenset((*others, user or others[0]))
        return Approvals(self.quorum, self.risk, self.ceremony, by)


def usual(question: Question, risk: Risk) -> Requirements:
    """What a risk demands where no rule demands more."""
    return Requirements(
        risk=risk,
        ceremony=_usual_steps(question, risk),
        quorum=2 if risk is Risk.CRITICAL else 1,
        seconds=TIME_TO_LIVE[risk],
    )


def _usual_steps(question: Question, risk: Risk) -> Ceremony:
    """A number is matched where a request is made, and not once more when it is passed on."""
    matched = question.interactive and question.way == "request"
    typed = question.has_fact and question.way != APP
    return steps(risk, matched=matched, typed=typed, wants_pin=question.wants_pin)


@cache
def steps(
    risk: Risk, *, matched: bool = False, typed: bool = False, wants_pin: bool = False
) -> Ceremony:
    """The steps of a yes at this risk, of an agent with a screen, to a type with a fact."""
    high = risk.rank >= Risk.HIGH.rank
    taken = {
        Step.MATCH: matched and risk.rank >= Risk.MEDIUM.rank,
        Step.PIN: high or wants_pin,
        Step.REASON: risk is Risk.CRITICAL,
        Step.TYPE_BACK: high and typed,
    }
    return frozenset(step for step, is_taken in taken.items() if is_taken)


def satisfiable(question: Question, ceremony: Ceremony) -> Ceremony:
    """The same steps where they can be taken, and for those that cannot the PIN.

    An agent without a screen has no number, and what people's apps do takes nothing typed.
    """
    never = set() if question.interactive else {Step.MATCH}
    if question.way == APP:
        never |= COMPARED_STEPS
    return ceremony - never | {Step.PIN} if ceremony & never else ceremony


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What an engine says to a question with some approvals."""

    allowed: bool
    rules: tuple[str, ...]
    """Ids of the rules that made it so."""
    because: str
    """In words that an approver reads."""
    needs: Requirements | None = None
    """What would make it allowed; None when nothing would, or nothing is lacking."""


class Policy(Protocol):
    """An engine. It MUST raise `PolicyFailed` rather than guess, and MUST NOT write."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Which rule set answered."""

    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from the answers."""

    outcome: Outcome
    risk: Risk
    rules: tuple[str, ...]
    because: str
    source: Source
    needs: Requirements | None = None
    """What it takes if it is `ask`, or `allow` where no consent stands behind it.

    With `deny`: what nobody can meet, because too few people are named.
    """

    def facts(self) -> dict[str, object]:
        """The verdict as the log keeps it."""
        return {
            "outcome": self.outcome,
            "rules": list(self.rules),
            "version": self.source.version,
            "hash": self.source.hash,
        }


FAILED: Final = "policy-error"
"""Stands where a rule's id would when the engine could not answer."""


def decide(policy: Policy, question: Question, source: Source) -> Verdict:
    """Ask with nobody's approval, then with those that are needed. An error is `deny`."""
    try:
        alone = policy.answer(question, NOBODY)
        if alone.allowed:
            least = usual(question, question.risk)
            return Verdict("allow", question.risk, alone.rules, alone.because, source, least)
        needs = alone.needs
        if needs is not None:
            met = policy.answer(question, needs.given(question.user)).allowed
            outcome: Outcome = "ask" if met else "deny"
            return Verdict(outcome, needs.risk, alone.rules, alone.because, source, needs)
    except PolicyFailed:
        return Verdict("deny", question.risk, (FAILED,), "Policy could not answer.", source)
    return Verdict("deny", question.risk, alone.rules, alone.because, source)


def holds(policy: Policy, question: Question, approvals: Approvals) -> bool:
    """Reports whether it is allowed with exactly these approvals. An error is no."""
    try:
        return policy.answer(question, approvals).allowed
    except PolicyFailed:
        return False
