"""Parses rule sets from TOML; a document is checked completely before it is stored.

Owns: the format of the document, and errors that name the rule and the remedy.
Never: checking that the agents and users in it exist (`builtin.py`).
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import Final, TypeAlias, TypeVar, cast

from server.model.policy import Hours
from server.model.policy_rules import (
    ALLOWED,
    ANY,
    DAYS,
    PARTIES,
    Amount,
    AskTerms,
    Count,
    Party,
    PolicyDocument,
    PolicyRule,
    When,
)
from server.protocol.approvals.ceremonies import CONFIRM, Ceremony, Step
from server.protocol.approvals.unusual import Code
from server.protocol.names import is_label
from server.protocol.policy import uses
from server.protocol.policy.questions import APP, FLOWS, MAX_QUORUM, Outcome, RequestFlow
from server.protocol.policy.risks import Risk
from server.protocol.text import check_prose
from server.services import zones
from server.services.refusals import Invalid

MAX_RULES: Final = 200
MAX_ALTERNATIVES: Final = 100
MAX_COUNT: Final = 1_000
MAX_WINDOW_MS: Final = 31 * 86_400_000
MIN_TTL: Final = 30
MAX_TTL: Final = 86_400

_OUTCOMES: tuple[Outcome, ...] = ("allow", "ask", "deny")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DURATION = re.compile(r"([1-9]\d{0,5})([smhd])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|(24:00)")
_TARGETS = ("resource", "scope")
_AGENT_ONLY = ("agent", "labels", "owner", "first_time", "known", "count", "unusual")
_CONFIRM = "confirm"
_CEREMONIES = (_CONFIRM, *Step)
"""The values of `ceremony`; a list combines them."""

T = TypeVar("T")


class InvalidPolicy(Invalid):
    """The document is not a valid rule set; the message names the rule and the remedy."""


def read_toml(text: str) -> dict[str, object]:
    """Parse a TOML file. Raises `InvalidPolicy`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPolicy(f"The file is not TOML: {error}.") from error
    except (RecursionError, ValueError):
        raise InvalidPolicy("The file is nested too deeply, or a number is too long.") from None


def parse_policy(text: str) -> PolicyDocument:
    """Parse a document. Raises `InvalidPolicy`."""
    members = read_toml(text)
    if set(members) != {"rules"} or not isinstance(members["rules"], list):
        raise InvalidPolicy("A policy contains only [[rules]], and at least one.")
    if not 0 < len(members["rules"]) <= MAX_RULES:
        raise InvalidPolicy(f"A policy has 1 to {MAX_RULES} rules.")
    rules = tuple(_rule(raw, position) for position, raw in enumerate(members["rules"], 1))
    _check_unique([rule.id for rule in rules])
    return PolicyDocument(text, rules)


class _Table:
    """A table in the document. Each member can be taken once; `end` rejects the other members."""

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, dict):
            raise InvalidPolicy(f"{where.rstrip(' :.')}: must be a table.")
        self.where = where
        self._left: dict[str, object] = dict(raw)
        self._known: list[str] = []

    def fail(self, name: str, problem: str) -> InvalidPolicy:
        return InvalidPolicy(f"{self.where}{name}: {problem}.")

    def take(self, name: str, read: Callable[["_Table", str, object], T]) -> T | None:
        """Return the parsed value of a member; None if it is missing."""
        self._known.append(name)
        return read(self, name, self._left.pop(name)) if name in self._left else None

    def require(self, name: str, read: Callable[["_Table", str, object], T]) -> T:
        value = self.take(name, read)
        if value is None:
            raise self.fail(name, "is missing")
        return value

    def table(self, name: str) -> "_Table":
        """Return a nested table; an empty table if it is missing."""
        self._known.append(name)
        return _Table(self._left.pop(name, {}), f"{self.where}{name}.")

    def end(self) -> None:
        """Raise `InvalidPolicy` for a member that was not taken."""
        for name in sorted(self._left):
            raise self.fail(name, f"is unknown. Allowed: {', '.join(self._known)}")


def _rule(raw: object, position: int) -> PolicyRule:
    table = _Table(raw, f"rule {position}: ")
    name = table.require("id", _id)
    table.where = f"rule {name}: "
    outcome = cast("Outcome", table.require("outcome", _one_of(_OUTCOMES)))
    when, ask = table.table("when"), table.table("ask")
    rule = PolicyRule(
        id=name,
        because=table.require("because", _prose),
        outcome=outcome,
        when=_when(when, outcome),
        ask=_ask(ask),
    )
    table.end()
    if rule.ask != AskTerms() and outcome != "ask":
        raise table.fail("ask", 'is allowed only with outcome = "ask"')
    if rule.when == When() and outcome == "allow":
        raise table.fail("when", 'a rule with outcome = "allow" needs a condition')
    return rule


def _when(table: _Table, outcome: Outcome) -> When:
    risk = table.table("risk")
    when = When(
        at=cast("tuple[RequestFlow, ...]", table.take("at", _all_of(FLOWS)) or ()),
        agent=table.take("agent", _names) or (),
        labels=table.take("labels", _labels) or (),
        owner=table.take("owner", _names) or (),
        user=table.take("user", _names) or (),
        resource=table.take("resource", _names) or (),
        scope=table.take("scope", _names) or (),
        type=table.take("type", _names) or (),
        at_least=risk.take("at_least", _risk),
        at_most=risk.take("at_most", _risk),
        amount=table.take("amount", _amount),
        during=table.take("during", _hours),
        outside=table.take("outside", _hours),
        first_time=table.take("first_time", _targets) or (),
        known=table.take("known", _targets) or (),
        count=table.take("count", _count),
        unusual=tuple(map(Code, table.take("unusual", _all_of(tuple(Code))) or ())),
    )
    risk.end()
    table.end()
    if when.first_time and outcome == "allow":
        raise table.fail("first_time", 'is not allowed with outcome = "allow"; use `known`')
    if when.unusual and outcome == "allow":
        raise table.fail("unusual", 'is not allowed with outcome = "allow"; use outcome = "ask"')
    if APP in when.at:
        _check_app_rule(table, when, outcome)
    highest = when.at_most or (ALLOWED if outcome == "allow" else Risk.CRITICAL)
    if when.at_least is not None and when.at_least.rank > highest.rank:
        raise risk.fail("at_least", f"at_most is {highest}, so the rule never applies; raise it")
    return when


def _check_app_rule(table: _Table, when: When, outcome: Outcome) -> None:
    """Refuse app rules that allow or use history: app actions are always signed, never compared."""
    if outcome == "allow":
        raise table.fail("at", 'app actions are always signed; use outcome = "ask" or "deny"')
    for name in _AGENT_ONLY:
        if getattr(when, name):
            raise table.fail(name, "applies only to agents; write a separate rule for app")


def _ask(table: _Table) -> AskTerms:
    ask_terms = AskTerms(
        risk=table.take("risk", _risk),
        ceremony=table.take("ceremony", _ceremony) or CONFIRM,
        quorum=table.take("quorum", _integer(1, MAX_QUORUM)),
        who=table.take("who", _names) or (),
        exclude=cast("tuple[Party, ...]", table.take("exclude", _all_of(PARTIES)) or ()),
        seconds=table.take("ttl", _ttl),
    )
    table.end()
    return ask_terms


def _check_unique(ids: list[str]) -> None:
    for name in ids:
        if ids.count(name) > 1:
            raise InvalidPolicy(f"rule {name}: the ID is used twice. Give each rule a unique ID.")


def _string(table: _Table, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise table.fail(name, "must be a string")
    return value


def _id(table: _Table, name: str, value: object) -> str:
    if not _ID.fullmatch(rule_id := _string(table, name, value)):
        raise table.fail(name, "must be 1 to 64 characters of a-z 0-9 and -")
    return rule_id


def _prose(table: _Table, name: str, value: object) -> str:
    try:
        return check_prose(_string(table, name, value), what="it", max_chars=140)
    except ValueError as error:
        raise table.fail(name, f"must be plain text: {error}") from None


def _one_of(known: tuple[str, ...]) -> Callable[[_Table, str, object], str]:
    def read_one(table: _Table, name: str, value: object) -> str:
        if value not in known:
            raise table.fail(name, f"must be one of {', '.join(known)}")
        return str(value)

    return read_one


def _all_of(known: tuple[str, ...]) -> Callable[[_Table, str, object], tuple[str, ...]]:
    read_one = _one_of(known)
    return lambda table, name, value: tuple(
        read_one(table, name, v) for v in _list(table, name, value)
    )


def _list(table: _Table, name: str, value: object) -> list[object]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ALTERNATIVES:
        raise table.fail(name, f"must be a list of 1 to {MAX_ALTERNATIVES} items")
    return value


def _names(table: _Table, name: str, value: object) -> tuple[str, ...]:
    names = tuple(_string(table, name, item) for item in _list(table, name, value))
    if any(not item or len(item) > 256 for item in names):  # noqa: PLR2004  # longer than any name
        raise table.fail(name, "names must have 1 to 256 characters")
    return names


def _labels(table: _Table, name: str, value: object) -> tuple[str, ...]:
    labels = _names(table, name, value)
    for label in labels:
        if not is_label(label):
            raise table.fail(name, "must be labels such as finance or team=finance")
    return labels


def _risk(table: _Table, name: str, value: object) -> Risk:
    return Risk(_one_of(tuple(Risk))(table, name, value))


def _ceremony(table: _Table, name: str, value: object) -> Ceremony:
    """Parse a step or a list of steps."""
    names = value if isinstance(value, list) else [value]
    if "second_person" in names:
        raise table.fail(name, "to require a second person, use quorum = 2")
    steps = _all_of(_CEREMONIES)(table, name, names)
    return frozenset(Step(step) for step in steps if step != _CONFIRM)


def _integer(minimum: int, maximum: int) -> Callable[[_Table, str, object], int]:
    def read(table: _Table, name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            raise table.fail(name, f"must be a whole number from {minimum} to {maximum}")
        return value

    return read


def _duration(table: _Table, name: str, value: object) -> int:
    match = _DURATION.fullmatch(_string(table, name, value))
    if not match:
        raise table.fail(name, 'must be a duration such as "30s", "10m", "1h" or "7d"')
    return int(match[1]) * _UNIT_MS[match[2]]


def _ttl(table: _Table, name: str, value: object) -> int:
    seconds = _duration(table, name, value) // 1_000
    if not MIN_TTL <= seconds <= MAX_TTL:
        raise table.fail(name, "must be from 30s to 1d")
    return seconds


def _limits(inner: _Table, minimum: int, maximum: int) -> tuple[int | None, int | None]:
    """Parse `over` or `at_most`; exactly one must be set."""
    number = _integer(minimum, maximum)
    over, at_most = inner.take("over", number), inner.take("at_most", number)
    if (over is None) == (at_most is None):
        raise inner.fail("over", "must have exactly one of over and at_most")
    return over, at_most


def _amount(table: _Table, name: str, value: object) -> Amount:
    inner = _Table(value, f"{table.where}{name}.")
    currency = inner.require("currency", _string)
    if not uses.is_currency(currency):
        raise inner.fail("currency", "must be a three-letter code such as EUR")
    over, at_most = _limits(inner, 0, 2**53 - 1)
    inner.end()
    return Amount(currency, over, at_most)


def _count(table: _Table, name: str, value: object) -> Count:
    inner = _Table(value, f"{table.where}{name}.")
    within = inner.require("within", _duration)
    if within > MAX_WINDOW_MS:
        raise inner.fail("within", "must be at most 31d")
    over, at_most = _limits(inner, 1, MAX_COUNT)
    inner.end()
    return Count(within, over, at_most)


def _hours(table: _Table, name: str, value: object) -> Hours:
    inner = _Table(value, f"{table.where}{name}.")
    days = inner.take("days", _all_of(DAYS)) or DAYS
    begins, ends = inner.take("from", _hour) or time(), inner.take("to", _hour) or time()
    hours = Hours(begins, ends, tuple(DAYS.index(d) for d in days), inner.require("zone", _zone))
    inner.end()
    return hours


def _hour(table: _Table, name: str, value: object) -> time:
    match = _HOUR.fullmatch(_string(table, name, value))
    if not match:
        raise table.fail(name, 'must be a time such as "08:00"')
    return time() if match[3] else time(int(match[1]), int(match[2]))


def _zone(table: _Table, name: str, value: object) -> str:
    if not zones.is_known(zone_name := _string(table, name, value)):
        remedy = "is not a known time zone. Use one such as Europe/Berlin, or UTC"
        raise table.fail(name, remedy)
    return zone_name


def _targets(table: _Table, name: str, value: object) -> tuple[str, ...]:
    targets = _names(table, name, value)
    for target in targets:
        if target not in _TARGETS and not target.startswith("/"):
            remedy = (
                'must be "resource", "scope" or a JSON pointer into the details such as "/payee"'
            )
            raise table.fail(name, remedy)
    return targets


NamesByKind: TypeAlias = Mapping[str, Mapping[str, str]]
"""Kind of name → the names, each with the ID of the first rule that contains it."""

_NAMES: Final[Mapping[str, Callable[[PolicyRule], Iterable[str]]]] = {
    "agent": lambda rule: rule.when.agent,
    "user": lambda rule: (*rule.when.owner, *rule.when.user),
    "user or group": lambda rule: rule.ask.who,
    "resource": lambda rule: _exact_names(rule.when.resource),
    "scope of a resource": lambda rule: _exact_names(rule.when.scope),
    "action type": lambda rule: _exact_names(rule.when.type),
}
"""Kind of name, in the words of error messages → the names of this kind in a rule."""


def names_in(document: PolicyDocument) -> NamesByKind:
    """Return the names in the rules by kind, without patterns."""
    names: dict[str, dict[str, str]] = {kind: {} for kind in _NAMES}
    for rule in document.rules:
        for kind, names_of in _NAMES.items():
            for name in names_of(rule):
                names[kind].setdefault(name, rule.id)
    return names


def _exact_names(names: Iterable[str]) -> Iterable[str]:
    return (name for name in names if ANY not in name)
