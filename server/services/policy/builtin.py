"""The built-in policy engine; compiled once for each rule set.

Owns: how rules combine. Deny overrides ask, ask overrides allow, and the default is ask. Matching
ask rules combine to the strictest value of each member, and never below the risk of scopes and
types. Never: when a rule matches (`conditions.py`), parsing a document, or resolving names.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.model.policy_rules import PolicyDocument, PolicyRule
from server.protocol.approvals.ceremonies import CONFIRM
from server.protocol.names import is_group
from server.protocol.policy.questions import (
    APP,
    FLOWS,
    Approvals,
    Outcome,
    PolicyAnswer,
    Question,
    RequestFlow,
    Requirements,
    default_requirements,
    possible_steps,
)
from server.protocol.policy.risks import highest
from server.services.policy import conditions
from server.services.policy.conditions import Condition, NameIds, NewValues

_DEFAULT_REASON: Final = "No rule allows this, so it needs approval."
_DEFAULT_REQUEST_REASON: Final = "Every agent request in your name needs approval."
_MAX_REASONS: Final = 3
_CACHE_SIZE: Final = 64
"""The maximum number of cached answers."""
_AGENT_FLOWS: Final = frozenset(FLOWS) - {APP}
_NO_MEMBERS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _Compiled:
    rule: PolicyRule
    fits: Condition
    who: frozenset[str]
    names_people: bool


@dataclass(frozen=True, slots=True)
class _RulesByOutcome:
    """The rules for one flow, by outcome."""

    denies: tuple[_Compiled, ...]
    asks: tuple[_Compiled, ...]
    allows: tuple[_Compiled, ...]


@dataclass(frozen=True, slots=True)
class BuiltinEngine:
    """A compiled rule set, as an adapter of the port `Policy`."""

    rules_by_flow: Mapping[RequestFlow, _RulesByOutcome]
    cache: dict[object, PolicyAnswer] = field(default_factory=dict)
    """A cache of answers by matching rules and the kind of question."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer:
        """Deny, else ask with the strictest requirements, else allow, else ask."""
        found = question.notes.get(id(self))
        if found is None:
            found = question.notes[id(self)] = self._evaluate(question)
        weighed: PolicyAnswer = found  # type: ignore[assignment]  # stored above
        if weighed.needs is None:
            return weighed
        if not weighed.needs.met_by(approvals, question.user):
            return weighed
        return PolicyAnswer(True, weighed.rules, weighed.because, weighed.needs)  # noqa: FBT003  # the member `allowed`

    def _evaluate(self, question: Question) -> PolicyAnswer:
        """The answer without approvals."""
        rules = self.rules_by_flow[question.flow]
        denied = [one for one in rules.denies if one.fits(question)]
        if denied:
            return PolicyAnswer(allowed=False, rules=_ids(denied), because=_because(denied))
        asked = [one for one in rules.asks if one.fits(question)]
        if not asked:
            allowed = next((one for one in rules.allows if one.fits(question)), None)
            if allowed is not None:
                return PolicyAnswer(True, (allowed.rule.id,), allowed.rule.because)  # noqa: FBT003  # the member `allowed`
        if any(one.names_people for one in asked):
            return _ask_answer(question, asked)
        return self._cached_ask(question, asked)

    def _cached_ask(self, question: Question, asked: Sequence[_Compiled]) -> PolicyAnswer:
        """The cached answer of rules that name no people, by the kind of question."""
        q = question
        key = (tuple(asked), q.risk, q.flow, q.interactive, q.has_fact, q.wants_pin)
        found = self.cache.get(key)
        if found is None:
            if len(self.cache) >= _CACHE_SIZE:
                self.cache.clear()
            found = self.cache[key] = _ask_answer(question, asked)
        return found


def compile_document(document: PolicyDocument, agents: NameIds, users: NameIds) -> BuiltinEngine:
    """Compile a rule set whose names are resolved."""
    told = conditions.new_value_lookup(document)
    made = [_compiled(rule, agents, users, told) for rule in document.rules]
    return BuiltinEngine(
        {flow: _by_outcome(one for one in made if flow in _flows(one.rule)) for flow in FLOWS}
    )


def _flows(rule: PolicyRule) -> Collection[RequestFlow]:
    """The flows that the rule applies to; `app` only if it names it."""
    return rule.when.at or _AGENT_FLOWS


def _by_outcome(rules: Iterable[_Compiled]) -> _RulesByOutcome:
    found: dict[Outcome, list[_Compiled]] = {"deny": [], "ask": [], "allow": []}
    for one in rules:
        found[one.rule.outcome].append(one)
    return _RulesByOutcome(*map(tuple, found.values()))


def _ask_answer(question: Question, asked: Sequence[_Compiled]) -> PolicyAnswer:
    because = _because(asked) or (
        _DEFAULT_REQUEST_REASON if question.flow == "request" else _DEFAULT_REASON
    )
    return PolicyAnswer(False, _ids(asked), because, _combined_requirements(question, asked))  # noqa: FBT003  # the member `allowed`


def _ids(found: Sequence[_Compiled]) -> tuple[str, ...]:
    return tuple(one.rule.id for one in found)


def _because(found: Sequence[_Compiled]) -> str:
    """The first three reasons."""
    return " ".join(dict.fromkeys(one.rule.because for one in found[:_MAX_REASONS]))


def _combined_requirements(question: Question, asked: Sequence[_Compiled]) -> Requirements:
    asks = [one.rule.ask for one in asked]
    risk = highest([question.risk, *(ask.risk for ask in asks if ask.risk is not None)])
    least, named = (
        default_requirements(question, risk),
        CONFIRM.union(*(ask.ceremony for ask in asks)),
    )
    return Requirements(
        risk=risk,
        ceremony=possible_steps(question, least.ceremony | named),
        quorum=_quorum(asked, least.quorum),
        seconds=min((a.seconds for a in asks if a.seconds is not None), default=least.seconds),
        who=_who(question, asked),
        excluded=_excluded(question, asked),
        groups=frozenset(one for each in asked for one in each.who if is_group(one)),
        named=named,
    )


def _quorum(asked: Sequence[_Compiled], usual_one: int) -> int:
    """The highest quorum of the rules; below the default only if a rule allows it at critical."""
    said = [one.rule.ask.quorum for one in asked if one.rule.ask.quorum is not None]
    floor = 1 if any(one.rule.sets_critical_quorum for one in asked) else usual_one
    return max([floor, *said])


def _who(question: Question, asked: Iterable[_Compiled]) -> frozenset[str] | None:
    """The intersection of the people that the rules name, with groups expanded."""
    named = [_people(question, one.who) for one in asked if one.rule.ask.who]
    return frozenset.intersection(*named) if named else None


def _people(question: Question, named: frozenset[str]) -> frozenset[str]:
    groups = [question.members.get(one, _NO_MEMBERS) for one in named if is_group(one)]
    return frozenset(one for one in named if not is_group(one)).union(*groups)


def _excluded(question: Question, asked: Iterable[_Compiled]) -> frozenset[str]:
    """The people that any rule excludes."""
    parties = {one for each in asked for one in each.rule.ask.exclude}
    people: set[str | None] = set(question.owners) if "owner" in parties else set()
    if "user" in parties:
        people.add(question.user)
    return frozenset(one for one in people if one is not None)


def _compiled(rule: PolicyRule, agents: NameIds, users: NameIds, told: NewValues) -> _Compiled:
    who = frozenset(users[one] for one in rule.ask.who)
    fits = conditions.compile_conditions(rule, agents, users, told)
    return _Compiled(rule, fits, who, bool(who or rule.ask.exclude))
