"""The built-in engine: typed rules, compiled once for each rule set.

Owns: how rules combine. Deny beats ask, ask beats allow, and what no rule is about asks. Rules that
ask add up to the strictest in every member, on the floor of the risks of scopes and types.
Never: reading a document, or who exists.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from typing import Final, TypeAlias, cast

from server.protocol.risks import highest
from server.services.policy import documents, uses
from server.services.policy.questions import Answer, Approvals, Question, Requirements, usual
from server.services.policy.rules import ALLOWED, ANY, Amount, Count, Document, Hours, Rule, When

_UNSAID: Final = "No rule allows this, so a person is asked."
_UNSAID_REQUEST: Final = "Every request of an agent in your name is asked."
_MOST_REASONS: Final = 3
_MIDNIGHT = time()
Condition: TypeAlias = Callable[[Question], bool]
Names: TypeAlias = Mapping[str, str]
"""What a document calls an agent or a person → the id that it meant when it was set."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    conditions: tuple[Condition, ...]
    who: frozenset[str]

    def fits(self, question: Question) -> bool:
        for condition in self.conditions:  # noqa: SIM110  # twice as fast as all(…)
            if not condition(question):
                return False
        return True


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A compiled rule set behind the port `Policy`."""

    denies: tuple[_Compiled, ...]
    asks: tuple[_Compiled, ...]
    allows: tuple[_Compiled, ...]

    def answer(self, question: Question, approvals: Approvals) -> Answer:
        """Deny, else ask for what the strictest wants, else allow, else ask."""
        found = question.notes.get(id(self))
        if found is None:
            found = question.notes[id(self)] = self._weighed(question)
        weighed = cast("Answer", found)
        if weighed.needs is None:
            return weighed
        return replace(weighed, allowed=weighed.needs.met_by(approvals))

    def _weighed(self, question: Question) -> Answer:
        """The answer without approvals, which change nothing else."""
        denied = [one for one in self.denies if one.fits(question)]
        if denied:
            return Answer(allowed=False, rules=_ids(denied), because=_because(denied))
        asked = [one for one in self.asks if one.fits(question)]
        if not asked:
            allowed = next((one for one in self.allows if one.fits(question)), None)
            if allowed is not None:
                return Answer(True, (allowed.rule.id,), allowed.rule.because)  # noqa: FBT003  # its first member
        needs = _strictest(question, asked)
        unsaid = _UNSAID_REQUEST if question.way == "request" else _UNSAID
        because = _because(asked) if asked else unsaid
        return Answer(allowed=False, rules=_ids(asked), because=because, needs=needs)


def compiled(document: Document, agents: Names, users: Names) -> BuiltIn:
    """The engine of a rule set whose names are known."""
    made = [_compiled(rule, agents, users) for rule in document.rules]
    by = attrgetter("rule.outcome")
    return BuiltIn(
        denies=tuple(one for one in made if by(one) == "deny"),
        asks=tuple(one for one in made if by(one) == "ask"),
        allows=tuple(one for one in made if by(one) == "allow"),
    )


def _ids(found: Sequence[_Compiled]) -> tuple[str, ...]:
    return tuple(one.rule.id for one in found)


def _because(found: Sequence[_Compiled]) -> str:
    """At most three reasons; nobody reads a fourth."""
    return " ".join(dict.fromkeys(one.rule.because for one in found[:_MOST_REASONS]))


def _strictest(question: Question, asked: Sequence[_Compiled]) -> Requirements:
    asks = [one.rule.ask for one in asked]
    risk = highest([question.risk, *(ask.risk for ask in asks if ask.risk is not None)])
    least = usual(question, risk)
    return Requirements(
        risk=risk,
        ceremony="pin" if any(ask.ceremony == "pin" for ask in asks) else least.ceremony,
        quorum=max((a.quorum for a in asks if a.quorum is not None), default=least.quorum),
        seconds=min((a.seconds for a in asks if a.seconds is not None), default=least.seconds),
        who=_who(asked),
    )


def _who(asked: Iterable[_Compiled]) -> frozenset[str] | None:
    """Those whom every rule that names people names."""
    named = [one.who for one in asked if one.rule.ask.who]
    return frozenset.intersection(*named) if named else None


def _compiled(rule: Rule, agents: Names, users: Names) -> _Compiled:
    """The conditions, those first that cost least."""
    when, allows = rule.when, rule.outcome == "allow"
    found = [
        *_about_clients(when, agents, users),
        *_about_things(when, allows=allows),
        *_about_risk(when, allows=allows),
        *_about_details(when),
        *_about_history(when),
    ]
    return _Compiled(rule, tuple(found), frozenset(users[one] for one in rule.ask.who))


def _about_clients(when: When, agents: Names, users: Names) -> Iterable[Condition]:
    if when.at:
        ways = frozenset(when.at)
        yield lambda q: q.way in ways
    if when.agent:
        named = frozenset(agents[one] for one in when.agent)
        yield lambda q: q.agent in named
    if when.labels:
        labels = frozenset(when.labels)
        yield lambda q: labels <= q.labels
    if when.owner:
        owners = frozenset(users[one] for one in when.owner)
        yield lambda q: not owners.isdisjoint(q.owners)
    if when.user:
        people = frozenset(users[one] for one in when.user)
        yield lambda q: q.user in people


def _about_things(when: When, *, allows: bool) -> Iterable[Condition]:
    """What allows must fit everything that is asked for; what does not, anything of it."""
    fits = all if allows else any
    if when.resource:
        is_resource = _matcher(when.resource)
        yield lambda q: is_resource(q.resource)
    if when.scope:
        is_scope = _matcher(when.scope)
        yield lambda q: bool(q.scopes) and fits(map(is_scope, q.scopes))
    if when.type:
        is_type = _matcher(when.type)
        yield lambda q: bool(q.types) and fits(map(is_type, q.types))
    elif allows:
        yield lambda q: not q.types


def _about_risk(when: When, *, allows: bool) -> Iterable[Condition]:
    least = when.at_least
    most = when.at_most or (ALLOWED if allows else None)
    if least is not None:
        floor = least.rank
        yield lambda q: q.risk.rank >= floor
    if most is not None:
        top = most.rank
        yield lambda q: q.risk.rank <= top


def _about_details(when: When) -> Iterable[Condition]:
    if when.amount is not None:
        yield _of_amount(when.amount)
    if when.during is not None:
        yield _within(when.during)
    if when.outside is not None:
        inside = _within(when.outside)
        yield lambda q: not inside(q)


def _about_history(when: When) -> Iterable[Condition]:
    if when.first_time:
        yield lambda q: any(_is_new(q, target) for target in when.first_time)
    if when.known:
        yield lambda q: all(_is_known(q, target) for target in when.known)
    if when.count is not None:
        yield _counted(when, when.count)


def _matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    exact = frozenset(one for one in patterns if ANY not in one)
    wild = [one.split(ANY) for one in patterns if ANY in one]
    texts = ["[\\s\\S]*".join(map(re.escape, parts)) for parts in wild]
    if not texts:
        return exact.__contains__
    pattern = re.compile("|".join(f"(?:{text})" for text in texts))
    return lambda name: name in exact or pattern.fullmatch(name) is not None


def _of_amount(amount: Amount) -> Condition:
    """Over: what there is in this currency is more. At most: all there is, is, and no more."""
    currency, over, most = amount.currency, amount.over, amount.at_most
    if over is not None:
        return lambda q: q.money.get(currency, 0) > over
    limit = most or 0
    return lambda q: set(q.money) == {currency} and q.money[currency] <= limit


def _within(hours: Hours) -> Condition:
    zone = documents.zone(hours.zone)
    begins, ends, days = hours.begins, hours.ends, frozenset(hours.days)
    over_midnight = begins >= ends > _MIDNIGHT

    def local(question: Question) -> datetime:
        found = question.notes.get(hours.zone)
        if found is None:
            utc = datetime.fromtimestamp(question.at / 1000, UTC)
            found = question.notes[hours.zone] = utc.astimezone(zone)
        return cast("datetime", found)

    def holds(question: Question) -> bool:
        here = local(question)
        now, today = here.time(), here.weekday()
        if not over_midnight:
            return today in days and begins <= now and (ends == _MIDNIGHT or now < ends)
        yesterday = (here - timedelta(days=1)).weekday()
        return (today in days and now >= begins) or (yesterday in days and now < ends)

    return holds


def _targets(question: Question, target: str) -> Sequence[str]:
    if target == "resource":
        return (uses.of_resource(question.resource),)
    if target == "scope":
        return tuple(uses.of_scope(question.resource, name) for name in question.scopes)
    return question.values.get(target, ())


def _is_new(question: Question, target: str) -> bool:
    return any(question.facts.first(use) for use in _targets(question, target))


def _is_known(question: Question, target: str) -> bool:
    found = _targets(question, target)
    return bool(found) and not any(question.facts.first(use) for use in found)


def _counted(when: When, count: Count) -> Condition:
    """Counts the types or scopes that the rule names, each for itself; else every token."""
    is_type = _matcher(when.type) if when.type else None
    is_scope = _matcher(when.scope) if when.scope else None
    limit = count.at_most if count.over is None else count.over

    def wanted(question: Question) -> list[str]:
        if is_type is not None:
            return [uses.of_type(name) for name in question.types if is_type(name)]
        if is_scope is not None:
            at = question.resource
            return [uses.of_scope(at, name) for name in question.scopes if is_scope(name)]
        return [uses.ANYTHING]

    def full(question: Question) -> bool:
        enough = limit or 0
        counts = (question.facts.count(u, count.within, enough) for u in wanted(question))
        return any(found >= enough for found in counts)

    return full if count.over is not None else lambda question: not full(question)
