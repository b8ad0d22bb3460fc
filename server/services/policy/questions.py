"""What policy is asked, what it answers, and how answers become a verdict.

Approvals are context: an engine is asked the same question with nobody's approval and with those
that it says it needs. Allowed at once is `allow`; allowed with approvals is `ask`; else `deny`.
Owns: the port `Policy`. Never: a rule; another engine may stand behind the port.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, Protocol, TypeAlias

from server.protocol.json_text import JsonValue
from server.protocol.risks import TIME_TO_LIVE, Risk, highest
from server.services.policy import uses

Ceremony: TypeAlias = Literal["confirm", "pin"]
Outcome: TypeAlias = Literal["allow", "ask", "deny"]
Way: TypeAlias = Literal["request", "exchange", "client_credentials"]
"""By which door something is wanted: `/bc-authorize`, or one of two grants of `/token`."""

CEREMONIES: Final[tuple[Ceremony, ...]] = ("confirm", "pin")
"""From the weakest on."""
WAYS: Final[tuple[Way, ...]] = ("request", "exchange", "client_credentials")
MOST_PEOPLE: Final = 1
"""How many people can be asked about one request today."""


class PolicyFailed(Exception):
    """An engine could not answer. That never allows; the text is for the log."""


class Facts(Protocol):
    """What an agent did before. Each answer MUST cost the same however much that was."""

    def first(self, use: str) -> bool:
        """Reports whether the agent never got a token for this."""

    def count(self, use: str, window_ms: int, enough: int) -> int:
        """How often it did in the last `window_ms`; counting stops at `enough`."""


@dataclass(frozen=True)
class Question:
    """Whether this agent may have this, for this person, now."""

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

    @cached_property
    def risk(self) -> Risk:
        """The highest risk of scopes and types: the floor of every answer."""
        return highest([Risk.LOW, *self.scopes.values(), *self.types.values()])

    @cached_property
    def notes(self) -> dict[object, object]:
        """Where an engine remembers what it found out, between its answers to this question."""
        return {}

    @cached_property
    def money(self) -> Mapping[str, int]:
        """Currency → the sum of all amounts of the details, in minor units, signs left out."""
        return uses.money(self.details)

    @cached_property
    def values(self) -> Mapping[str, tuple[str, ...]]:
        """JSON pointer, `*` for every index → the uses that the values there are."""
        return uses.values(self.details)


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who has said yes, and after what."""

    count: int = 0
    risk: Risk = Risk.LOW
    """At which level it was shown to them."""
    ceremony: Ceremony = "confirm"
    by: frozenset[str] = frozenset()


NOBODY: Final = Approvals()


@dataclass(frozen=True, slots=True)
class Requirements:
    """What it takes to be allowed."""

    risk: Risk
    ceremony: Ceremony
    quorum: int
    seconds: int
    """How long the request waits for its answer."""
    who: frozenset[str] | None = None
    """User ids of those whose answer counts; None means whoever is asked."""

    def met_by(self, approvals: Approvals) -> bool:
        """Reports whether these approvals are enough."""
        strong = CEREMONIES.index(approvals.ceremony) >= CEREMONIES.index(self.ceremony)
        by_them = self.who is None or bool(approvals.by & self.who)
        enough = approvals.count >= self.quorum and approvals.risk.rank >= self.risk.rank
        return enough and strong and by_them

    def given(self, user: str | None) -> Approvals:
        """What there would be if that many people, this one among them, said yes as demanded."""
        by = self.who or frozenset() if user is None else frozenset({user})
        return Approvals(self.quorum, self.risk, self.ceremony, by)


def usual(question: Question, risk: Risk) -> Requirements:
    """What a risk demands where no rule demands more."""
    strong = question.wants_pin or risk.rank >= Risk.HIGH.rank
    return Requirements(
        risk=risk,
        ceremony="pin" if strong else "confirm",
        quorum=2 if risk is Risk.CRITICAL else 1,
        seconds=TIME_TO_LIVE[risk],
    )


@dataclass(frozen=True, slots=True)
class Answer:
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

    def answer(self, question: Question, approvals: Approvals) -> Answer: ...


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
    """What it takes if it is `ask`, or `allow` where no consent stands behind it."""

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
        if needs is not None and policy.answer(question, needs.given(question.user)).allowed:
            return Verdict("ask", needs.risk, alone.rules, alone.because, source, needs)
    except PolicyFailed:
        return Verdict("deny", question.risk, (FAILED,), "Policy could not answer.", source)
    return Verdict("deny", question.risk, alone.rules, alone.because, source)


def holds(policy: Policy, question: Question, approvals: Approvals) -> bool:
    """Reports whether it is allowed with exactly these approvals. An error is no."""
    try:
        return policy.answer(question, approvals).allowed
    except PolicyFailed:
        return False
