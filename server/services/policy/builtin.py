"""The built-in policy engine; compiled once for each rule set.

Owns: how rules combine. Deny overrides ask, ask overrides allow, and the default is ask. Matching
ask rules combine to the strictest value of each member, but never below the risk of scopes and
types. Names in a rule set are resolved to IDs when the rule set is activated, so later renames
have no effect. Never: deciding whether a rule matches (`conditions.py`), or parsing a document.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.resources import files
from typing import Final

from server.model.clients import Agent
from server.model.policy import PolicyRow
from server.model.policy_rules import PolicyDocument, PolicyRule
from server.model.store import View
from server.model.users import User
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
from server.protocol.policy.risks import Risk, highest
from server.protocol.resources import scopes
from server.services.policy import conditions, documents
from server.services.policy.conditions import Condition, NameIds, NewValues
from server.services.policy.documents import InvalidPolicy, NamesByKind
from server.services.refusals import Invalid, NotFound
from server.services.users import user_or_group

MAX_BYTES: Final = 65_536
"""The maximum size of a policy in UTF-8."""
_DEFAULT_REASON: Final = "No rule allows this, so it needs approval."
_DEFAULT_REQUEST_REASON: Final = "Every agent request in your name needs approval."
_MAX_REASONS: Final = 3
_CACHE_SIZE: Final = 64
"""The maximum number of cached answers."""
_AGENT_FLOWS: Final = frozenset(FLOWS) - {APP}
_NO_MEMBERS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _CompiledRule:
    rule: PolicyRule
    fits: Condition
    approvers: frozenset[str]
    names_people: bool


@dataclass(frozen=True, slots=True)
class BuiltinEngine:
    """A compiled rule set, as an adapter of the port `Policy`."""

    rules: Mapping[RequestFlow, Mapping[Outcome, Sequence[_CompiledRule]]]
    """The rules for each flow, by outcome."""
    counts_tokens: bool
    """Whether a rule counts the agent's tokens."""
    cache: dict[object, PolicyAnswer] = field(default_factory=dict)
    """Matching rules and kind of question → the cached answer."""

    def answer(self, question: Question, approvals: Approvals) -> PolicyAnswer:
        """Return deny, else ask with the strictest requirements, else allow, else ask."""
        cached = question.notes.get(id(self))
        if cached is None:
            cached = question.notes[id(self)] = self._evaluate(question)
        policy_answer: PolicyAnswer = cached  # type: ignore[assignment]  # stored above
        if policy_answer.requirements is None:
            return policy_answer
        if not policy_answer.requirements.met_by(approvals, question.user):
            return policy_answer
        return replace(policy_answer, allowed=True)

    def _evaluate(self, question: Question) -> PolicyAnswer:
        """Return the answer without approvals."""
        rules = self.rules[question.flow]
        deny_rules = [compiled for compiled in rules["deny"] if compiled.fits(question)]
        if deny_rules:
            return PolicyAnswer(allowed=False, rules=_ids(deny_rules), because=_because(deny_rules))
        ask_rules = [compiled for compiled in rules["ask"] if compiled.fits(question)]
        for compiled in () if ask_rules else rules["allow"]:
            if compiled.fits(question):
                return PolicyAnswer(True, (compiled.rule.id,), compiled.rule.because)  # noqa: FBT003  # the member `allowed`
        if any(compiled.names_people for compiled in ask_rules):
            return _ask_answer(question, ask_rules)
        return self._cached_ask(question, ask_rules)

    def _cached_ask(self, question: Question, ask_rules: Sequence[_CompiledRule]) -> PolicyAnswer:
        """Return the answer of rules that do not name people, cached by the kind of question."""
        q = question
        key = (tuple(ask_rules), q.risk, q.flow, q.interactive, q.has_fact, q.wants_pin)
        policy_answer = self.cache.get(key)
        if policy_answer is None:
            if len(self.cache) >= _CACHE_SIZE:
                self.cache.clear()
            policy_answer = self.cache[key] = _ask_answer(question, ask_rules)
        return policy_answer


def compile_document(document: PolicyDocument, agents: NameIds, users: NameIds) -> BuiltinEngine:
    """Compile a rule set with resolved names."""
    new_values = conditions.new_value_lookup(document)
    rules: dict[RequestFlow, dict[Outcome, list[_CompiledRule]]] = {
        flow: {"deny": [], "ask": [], "allow": []} for flow in FLOWS
    }
    for rule in document.rules:
        compiled = _compile_rule(rule, agents, users, new_values)
        for flow in set(_flows(rule)):
            rules[flow][rule.outcome].append(compiled)
    return BuiltinEngine(
        rules,
        counts_tokens=any(rule.when.count is not None for rule in document.rules),
    )


def _flows(rule: PolicyRule) -> Collection[RequestFlow]:
    """Return the flows that the rule applies to; `app` only if the rule names it."""
    return rule.when.at or _AGENT_FLOWS


def _ask_answer(question: Question, ask_rules: Sequence[_CompiledRule]) -> PolicyAnswer:
    because = _because(ask_rules) or (
        _DEFAULT_REQUEST_REASON if question.flow == "request" else _DEFAULT_REASON
    )
    needs = _combined_requirements(question, ask_rules)
    return PolicyAnswer(False, _ids(ask_rules), because, needs)  # noqa: FBT003  # the member `allowed`


def _ids(rules: Sequence[_CompiledRule]) -> tuple[str, ...]:
    return tuple(compiled.rule.id for compiled in rules)


def _because(rules: Sequence[_CompiledRule]) -> str:
    """Return the reasons that the first three rules give."""
    return " ".join(dict.fromkeys(compiled.rule.because for compiled in rules[:_MAX_REASONS]))


def _combined_requirements(question: Question, ask_rules: Sequence[_CompiledRule]) -> Requirements:
    asks = [compiled.rule.ask for compiled in ask_rules]
    risk = highest([question.risk, *(ask.risk for ask in asks if ask.risk is not None)])
    defaults = default_requirements(question, risk)
    steps = CONFIRM.union(*(ask.ceremony for ask in asks))
    return Requirements(
        risk=risk,
        ceremony=possible_steps(question, defaults.ceremony | steps),
        quorum=_quorum(ask_rules, defaults.quorum),
        seconds=min((a.seconds for a in asks if a.seconds is not None), default=defaults.seconds),
        approvers=_approvers(question, ask_rules),
        excluded=_excluded(question, ask_rules),
        groups=frozenset(name for rule in ask_rules for name in rule.approvers if is_group(name)),
        extra_steps=steps,
    )


def _quorum(ask_rules: Sequence[_CompiledRule], default_quorum: int) -> int:
    """Return the rules' highest quorum; below the default only if a rule allows it at critical."""
    rules = [compiled.rule for compiled in ask_rules if compiled.rule.ask.quorum is not None]
    names_critical = any(Risk.CRITICAL in {rule.when.at_least, rule.ask.risk} for rule in rules)
    floor = 1 if names_critical else default_quorum
    return max([floor, *(rule.ask.quorum or floor for rule in rules)])


def _approvers(question: Question, ask_rules: Iterable[_CompiledRule]) -> frozenset[str] | None:
    """Return the people named by all rules that have `who`, with groups expanded."""
    people_of_rules = [
        _people(question, compiled.approvers) for compiled in ask_rules if compiled.rule.ask.who
    ]
    return frozenset.intersection(*people_of_rules) if people_of_rules else None


def _people(question: Question, names: frozenset[str]) -> frozenset[str]:
    groups = [question.members.get(name, _NO_MEMBERS) for name in names if is_group(name)]
    return frozenset(name for name in names if not is_group(name)).union(*groups)


def _excluded(question: Question, ask_rules: Iterable[_CompiledRule]) -> frozenset[str]:
    """Return the people that any rule excludes."""
    parties = {name for compiled in ask_rules for name in compiled.rule.ask.exclude}
    people: set[str | None] = set(question.owners) if "owner" in parties else set()
    if "user" in parties:
        people.add(question.user)
    return frozenset(person for person in people if person is not None)


def _compile_rule(
    rule: PolicyRule, agents: NameIds, users: NameIds, new_values: NewValues
) -> _CompiledRule:
    who = frozenset(users[name] for name in rule.ask.who)
    fits = conditions.compile_conditions(rule, agents, users, new_values)
    return _CompiledRule(rule, fits, who, bool(who or rule.ask.exclude))


DEFAULT_VERSION: Final = 0
DEFAULT_AUTHOR: Final = "default"
_NO_NAMES: Mapping[str, str] = {}


@cache
def default_row() -> PolicyRow:
    """Return the built-in rule set."""
    text = files("server.services.policy").joinpath("default.toml").read_text("utf-8")
    digest = _hash(text, _NO_NAMES, _NO_NAMES)
    return PolicyRow(DEFAULT_VERSION, text, {}, {}, digest, DEFAULT_AUTHOR, 0)


def compile_row(row: PolicyRow) -> BuiltinEngine:
    """Compile the engine of a stored rule set. Raises `InvalidPolicy`."""
    return compile_document(documents.parse_policy(row.document), row.agents, row.users)


def bind_names(view: View, text: str, *, version: int, by: str) -> PolicyRow:
    """Resolve the names of a rule set. Raises `InvalidPolicy` with the rule and the remedy."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise InvalidPolicy(f"A policy has at most {MAX_BYTES} bytes in UTF-8. This has {size}.")
    document = documents.parse_policy(text)
    names = documents.names_in(document)
    agents = _ids_by_name(names, "agent", lambda name: _id(view.directory.find_agent(name)))
    users = _ids_by_name(names, "user", lambda name: _id(view.directory.find_user(name)))
    users |= _ids_by_name(names, "user or group", partial(_user_or_group_id, view))
    resources = view.resources.all()
    registered = {
        "resource": {resource.uri for resource in resources},
        "scope of a resource": scopes.OPENID_SCOPES.union(*(r.scopes for r in resources)),
        "action type": {action.type for action in view.actions.all()},
    }
    for kind, known in registered.items():
        _ids_by_name(names, kind, {name: name for name in known}.get)
    return PolicyRow(version, text, agents, users, _hash(text, agents, users), by, view.now)


def _hash(text: str, agents: Mapping[str, str], users: Mapping[str, str]) -> str:
    canonical = json.dumps([text, dict(agents), dict(users)], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _ids_by_name(
    names: NamesByKind, kind: str, find_id: Callable[[str], str | None]
) -> dict[str, str]:
    """Return the ID of each name of a kind. Raises `InvalidPolicy` for an unknown name."""
    ids = {}
    for name, rule_id in sorted(names[kind].items()):
        found_id = find_id(name)
        if found_id is None:
            raise InvalidPolicy(f"rule {rule_id}: there is no {kind} {name}.", remedy=(kind, name))
        ids[name] = found_id
    return ids


def _id(record: Agent | User | None) -> str | None:
    return None if record is None else record.id


def _user_or_group_id(view: View, name_or_id: str) -> str | None:
    try:
        return user_or_group.id_of(view, name_or_id)
    except NotFound:
        return None
    except Invalid as error:
        raise InvalidPolicy(str(error)) from None
