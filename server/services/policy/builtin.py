"""The built-in engine: typed rules, compiled once for each rule set.

Owns: how rules combine. Deny beats ask, ask beats allow, and what no rule is about asks. Rules that
ask add up to the strictest in every member, on the floor of the risks of scopes and types.
Never: what a rule is about (`conditions.py`), reading a document, or who exists.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.model.policy_rules import Document, PolicyRule
from server.protocol.approvals.ceremonies import CONFIRM
from server.protocol.names import is_group
from server.protocol.policy.questions import (
    APP,
    WAYS,
    Approvals,
    Outcome,
    PolicyAnswer,
    Question,
    Requirements,
    Way,
    satisfiable,
    usual,
)
from server.protocol.policy.risks import highest
from server.services.policy import conditions
from server.services.policy.conditions import Condition, Names, Told

_UNSAID: Final = "No rule allows this, so a person is asked."
_UNSAID_REQUEST: Final = "Every request of an agent in your name is asked."
_MAX_REASONS: Final = 3
_REMEMBERED: Final = 64
"""So many answers are kept."""
_AGENTS_WAYS: Final = frozenset(WAYS) - {APP}
_NO_MEMBERS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _Compiled:
    rule: PolicyRule
    fits: Condition
    who: frozenset[str]
    names_people: bool


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The rules about one way, by what follows from them."""

    denies: tuple[_Compiled, ...]
    asks: tuple[_Compiled, ...]
    allows: tuple[_Compiled, ...]


@dataclass(frozen=True, slots=True)
class BuiltinEngine:
    """A compiled rule set behind the port `Policy`."""

    about: Mapping[Way, _Sorted]
    remembered: dict[object, PolicyAnswer] = field(default_factory=dict)
    """What was answered before by the same rules to a question like this one."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer:
        """Deny, else ask for what the strictest wants, else allow, else ask."""
        found = question.notes.get(id(self))
        if found is None:
            found = question.notes[id(self)] = self._weighed(question)
        weighed: PolicyAnswer = found  # type: ignore[assignment]  # noted above
        if weighed.needs is None:
            return weighed
        if not weighed.needs.met_by(approvals, question.user):
            return weighed
        return PolicyAnswer(True, weighed.rules, weighed.because, weighed.needs)  # noqa: FBT003  # its first member

    def _weighed(self, question: Question) -> PolicyAnswer:
        """The answer without approvals, which change nothing else."""
        rules = self.about[question.way]
        denied = [one for one in rules.denies if one.fits(question)]
        if denied:
            return PolicyAnswer(allowed=False, rules=_ids(denied), because=_because(denied))
        asked = [one for one in rules.asks if one.fits(question)]
        if not asked:
            allowed = next((one for one in rules.allows if one.fits(question)), None)
            if allowed is not None:
                return PolicyAnswer(True, (allowed.rule.id,), allowed.rule.because)  # noqa: FBT003  # its first member
        if any(one.names_people for one in asked):
            return _asking(question, asked)
        return self._like(question, asked)

    def _like(self, question: Question, asked: Sequence[_Compiled]) -> PolicyAnswer:
        """The answer of rules that name nobody, which is the same to every question of a kind."""
        q = question
        key = (tuple(asked), q.risk, q.way, q.interactive, q.has_fact, q.wants_pin)
        found = self.remembered.get(key)
        if found is None:
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            found = self.remembered[key] = _asking(question, asked)
        return found


def compiled(document: Document, agents: Names, users: Names) -> BuiltinEngine:
    """The engine of a rule set whose names are known."""
    told = conditions.told(document)
    made = [_compiled(rule, agents, users, told) for rule in document.rules]
    return BuiltinEngine(
        {way: _sorted(one for one in made if way in _ways(one.rule)) for way in WAYS}
    )


def _ways(rule: PolicyRule) -> Collection[Way]:
    """The ways that it is about; that of people's apps only if it says so."""
    return rule.when.at or _AGENTS_WAYS


def _sorted(rules: Iterable[_Compiled]) -> _Sorted:
    found: dict[Outcome, list[_Compiled]] = {"deny": [], "ask": [], "allow": []}
    for one in rules:
        found[one.rule.outcome].append(one)
    return _Sorted(*map(tuple, found.values()))


def _asking(question: Question, asked: Sequence[_Compiled]) -> PolicyAnswer:
    because = _because(asked) or (_UNSAID_REQUEST if question.way == "request" else _UNSAID)
    return PolicyAnswer(False, _ids(asked), because, _strictest(question, asked))  # noqa: FBT003  # its first member


def _ids(found: Sequence[_Compiled]) -> tuple[str, ...]:
    return tuple(one.rule.id for one in found)


def _because(found: Sequence[_Compiled]) -> str:
    """At most three reasons; nobody reads a fourth."""
    return " ".join(dict.fromkeys(one.rule.because for one in found[:_MAX_REASONS]))


def _strictest(question: Question, asked: Sequence[_Compiled]) -> Requirements:
    asks = [one.rule.ask for one in asked]
    risk = highest([question.risk, *(ask.risk for ask in asks if ask.risk is not None)])
    least, named = usual(question, risk), CONFIRM.union(*(ask.ceremony for ask in asks))
    return Requirements(
        risk=risk,
        ceremony=satisfiable(question, least.ceremony | named),
        quorum=_quorum(asked, least.quorum),
        seconds=min((a.seconds for a in asks if a.seconds is not None), default=least.seconds),
        who=_who(question, asked),
        excluded=_excluded(question, asked),
        groups=frozenset(one for each in asked for one in each.who if is_group(one)),
        named=named,
    )


def _quorum(asked: Sequence[_Compiled], usual_one: int) -> int:
    """The most that any rule says; less than usual only where one says so of critical risk."""
    said = [one.rule.ask.quorum for one in asked if one.rule.ask.quorum is not None]
    floor = 1 if any(one.rule.settles_critical for one in asked) else usual_one
    return max([floor, *said])


def _who(question: Question, asked: Iterable[_Compiled]) -> frozenset[str] | None:
    """Those whom every rule that names people names, the members of groups among them."""
    named = [_people(question, one.who) for one in asked if one.rule.ask.who]
    return frozenset.intersection(*named) if named else None


def _people(question: Question, named: frozenset[str]) -> frozenset[str]:
    groups = [question.members.get(one, _NO_MEMBERS) for one in named if is_group(one)]
    return frozenset(one for one in named if not is_group(one)).union(*groups)


def _excluded(question: Question, asked: Iterable[_Compiled]) -> frozenset[str]:
    """Those whom any rule excludes."""
    parties = {one for each in asked for one in each.rule.ask.exclude}
    people: set[str | None] = set(question.owners) if "owner" in parties else set()
    if "user" in parties:
        people.add(question.user)
    return frozenset(one for one in people if one is not None)


def _compiled(rule: PolicyRule, agents: Names, users: Names, told: Told) -> _Compiled:
    who = frozenset(users[one] for one in rule.ask.who)
    fits = conditions.of(rule, agents, users, told)
    return _Compiled(rule, fits, who, bool(who or rule.ask.exclude))
