"""The conditions of rules, compiled to functions of a question.

Owns: evaluating them; each lookup runs once for all rules. Never: deciding the outcome of a rule.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from itertools import chain
from typing import Final, TypeAlias, cast

from server.model.policy import Hours
from server.model.policy_rules import (
    ALLOWED,
    ANY,
    DAYS,
    Amount,
    Count,
    PolicyDocument,
    PolicyRule,
    When,
)
from server.protocol.policy import uses
from server.protocol.policy.questions import Question
from server.protocol.policy.risks import Risk
from server.services import zones

_MIDNIGHT = time()
_CACHE_SIZE: Final = 64
"""The maximum number of cached matches per rule: resource names, or sets of scopes or types."""
Condition: TypeAlias = Callable[[Question], bool]
NewValues: TypeAlias = Callable[[Question], Mapping[str, bool | None]]
"""Returns, for each target, whether its value is new; None if the question has no value there."""
NameIds: TypeAlias = Mapping[str, str]
"""Name of an agent, user or group in the document → its ID when the document was set."""


def compile_conditions(
    rule: PolicyRule, agents: NameIds, users: NameIds, new_values: NewValues
) -> Condition:
    """Return one condition that combines all conditions of a rule, cheapest first."""
    when, allows = rule.when, rule.outcome == "allow"
    return _combine(
        [
            *_client_conditions(when, agents, users),
            *_target_conditions(when, allows=allows),
            *_risk_conditions(when, allows=allows),
            *_detail_conditions(when),
            *_history_conditions(when, new_values),
        ]
    )


def new_value_lookup(document: PolicyDocument) -> NewValues:
    """Return a lookup of new values for all targets in the rules, which runs once per question."""
    conditions = (rule.when for rule in document.rules)
    targets = tuple(
        dict.fromkeys(t for when in conditions for t in (*when.first_time, *when.known))
    )
    key = object()

    def look_up(question: Question) -> Mapping[str, bool | None]:
        cached = question.notes.get(key)
        if cached is None:
            cached = question.notes[key] = _find_new_values(question, targets)
        return cached  # type: ignore[return-value]  # stored above

    return look_up


def _combine(conditions: Sequence[Condition]) -> Condition:
    """Combine conditions with `and`. Nested pairs are twice as fast as a loop."""
    if not conditions:
        return lambda _question: True
    first, others = conditions[0], conditions[1:]
    if not others:
        return first
    rest = _combine(others)
    return lambda question: first(question) and rest(question)


def _client_conditions(when: When, agents: NameIds, users: NameIds) -> Iterable[Condition]:
    if when.agent:
        named = frozenset(agents[name] for name in when.agent)
        yield lambda q: q.agent in named
    if when.labels:
        labels = frozenset(when.labels)
        yield lambda q: labels <= q.labels
    if when.owner:
        owners = frozenset(users[name] for name in when.owner)
        yield lambda q: not owners.isdisjoint(q.owners)
    if when.user:
        people = frozenset(users[name] for name in when.user)
        yield lambda q: q.user in people


def _target_conditions(when: When, *, allows: bool) -> Iterable[Condition]:
    """Yield the conditions. An allow rule must match all scopes and types, other rules only one."""
    if when.resource:
        is_resource = lru_cache(_CACHE_SIZE)(_matcher(when.resource))
        yield lambda q: is_resource(q.resource)
    if when.scope:
        match_scopes = _set_matcher(when.scope, allows=allows)
        yield lambda q: match_scopes(q.scope_names)
    if when.type:
        match_types = _set_matcher(when.type, allows=allows)
        yield lambda q: match_types(q.type_names)
    elif allows:
        yield lambda q: not q.types


def _risk_conditions(when: When, *, allows: bool) -> Iterable[Condition]:
    min_risk = when.at_least
    max_risk = when.at_most or (ALLOWED if allows else None)
    if min_risk is not None or max_risk is not None:
        floor, top = (min_risk or Risk.LOW).rank, (max_risk or Risk.CRITICAL).rank
        risks = frozenset(risk for risk in Risk if floor <= risk.rank <= top)
        yield lambda q: q.risk in risks


def _detail_conditions(when: When) -> Iterable[Condition]:
    if when.amount is not None:
        yield _amount_condition(when.amount)
    if when.during is not None:
        yield _hours_condition(when.during)
    if when.outside is not None:
        inside = _hours_condition(when.outside)
        yield lambda q: not inside(q)


def _history_conditions(when: When, new_values: NewValues) -> Iterable[Condition]:
    if when.first_time:
        yield lambda q: any(map(new_values(q).get, when.first_time))
    if when.known:
        yield lambda q: all(new_values(q)[target] is False for target in when.known)
    if when.count is not None:
        yield _count_condition(when, when.count)
    if when.unusual:
        codes = frozenset(when.unusual)
        yield lambda q: not codes.isdisjoint(q.unusual)


def _matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    exact = frozenset(pattern for pattern in patterns if ANY not in pattern)
    wildcards = [pattern.split(ANY) for pattern in patterns if ANY in pattern]
    expressions = ["[\\s\\S]*".join(map(re.escape, parts)) for parts in wildcards]
    if not expressions:
        return exact.__contains__
    pattern = re.compile("|".join(f"(?:{expression})" for expression in expressions))
    return lambda name: name in exact or pattern.fullmatch(name) is not None


def _set_matcher(patterns: Sequence[str], *, allows: bool) -> Callable[[frozenset[str]], bool]:
    matches, quantifier = _matcher(patterns), all if allows else any
    return lru_cache(_CACHE_SIZE)(lambda names: bool(names) and quantifier(map(matches, names)))


def _amount_condition(amount: Amount) -> Condition:
    """`over` matches a larger sum in this currency; `at_most` also excludes other currencies."""
    currency, over, most = amount.currency, amount.over, amount.at_most
    if over is not None:
        return lambda q: q.money.get(currency, 0) > over
    limit = most or 0
    return lambda q: set(q.money) == {currency} and q.money[currency] <= limit


def _hours_condition(hours: Hours) -> Condition:
    zone = zones.zone(hours.zone)
    begins, ends, days = hours.begins, hours.ends, frozenset(hours.days)
    over_midnight = begins >= ends > _MIDNIGHT

    def local_time(question: Question) -> tuple[time, int]:
        """Return the local time and weekday, computed once for all rules."""
        cached = question.notes.get(hours.zone)
        if cached is None:
            local = datetime.fromtimestamp(question.at / 1000, UTC).astimezone(zone)
            cached = question.notes[hours.zone] = local.time(), local.weekday()
        return cast("tuple[time, int]", cached)

    def holds(question: Question) -> bool:
        now, today = local_time(question)
        if not over_midnight:
            return today in days and begins <= now and (ends == _MIDNIGHT or now < ends)
        yesterday = (today - 1) % len(DAYS)
        return (today in days and now >= begins) or (yesterday in days and now < ends)

    return holds


def _targets(question: Question, target: str) -> Sequence[str]:
    if target == "resource":
        return (uses.of_resource(question.resource),)
    if target == "scope":
        return tuple(uses.of_scope(question.resource, name) for name in question.scopes)
    return question.values(target)


def _find_new_values(question: Question, targets: Sequence[str]) -> Mapping[str, bool | None]:
    """Return, for each target, whether it has a new value; None if a detail has no value there."""
    uses_by_target = {target: _targets(question, target) for target in targets}
    seen = question.history.known_uses(
        list(dict.fromkeys(chain.from_iterable(uses_by_target.values())))
    )
    new = {
        target: any(use not in seen for use in target_uses)
        for target, target_uses in uses_by_target.items()
    }
    return {
        target: is_new
        if is_new or _has_value_everywhere(question, target, uses_by_target[target])
        else None
        for target, is_new in new.items()
    }


def _has_value_everywhere(question: Question, target: str, target_uses: Sequence[str]) -> bool:
    """Return whether every detail has a value at this target."""
    if target in {"resource", "scope"}:
        return bool(target_uses)
    return uses.has_value_in_each(question.details, target)


_CountedUse: TypeAlias = tuple[str, int, int]
"""A use, the window in milliseconds, and the number at which counting stops."""


def _count_condition(when: When, count: Count) -> Condition:
    """Return a condition that counts each named type or scope separately, or else all tokens."""
    enough = (count.at_most if count.over is None else count.over) or 0
    uses_to_count = _uses_to_count(when, count.within, enough)

    def is_reached(question: Question) -> bool:
        notes = question.notes
        for counted_use in uses_to_count(question):
            number = notes.get(counted_use)
            if number is None:
                number = notes[counted_use] = question.history.count(*counted_use)
            if cast("int", number) >= enough:
                return True
        return False

    return is_reached if count.over is not None else lambda question: not is_reached(question)


def _uses_to_count(
    when: When, within: int, enough: int
) -> Callable[[Question], Iterable[_CountedUse]]:
    """Select the uses to count: the rule's types, or else its scopes, or else all tokens."""
    if when.type:
        is_type = _matcher(when.type)
        match_types = lru_cache(_CACHE_SIZE)(
            lambda names: [(uses.of_type(name), within, enough) for name in names if is_type(name)]
        )
        return lambda question: match_types(question.type_names)
    if when.scope:
        is_scope = _matcher(when.scope)
        match_scopes = lru_cache(_CACHE_SIZE)(
            lambda at, names: [
                (uses.of_scope(at, name), within, enough) for name in names if is_scope(name)
            ]
        )
        return lambda question: match_scopes(question.resource, question.scope_names)
    all_tokens = [(uses.ANY_TOKEN, within, enough)]
    return lambda _question: all_tokens
