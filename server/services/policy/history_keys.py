"""A request's history keys, for comparing it and for adding it after an approval.

Owns: the choice of facts to compare. Values in keys and marks are keyed hashes, so that someone
with only the database cannot guess account numbers; registered names are not hashed.
Never: reading rows, or deciding what is unusual.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, cast

from server.model.clients import Agent
from server.model.ports import Secrets
from server.model.users import User
from server.protocol import confusables
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.rendering import Trail
from server.protocol.policy.uses import Path, read_money
from server.services.resources.targets import TokenTarget

MAX_TARGETS: Final = 32
"""The maximum number of targets stored per request; further targets always count as new."""
MAX_TEXTS: Final = 8
"""The maximum number of texts per request to check for lookalikes."""

_MAX_CHARACTERS: Final = 140
_MAX_CACHED: Final = 500
"""The maximum length of a text whose hash is cached, which limits the cache's memory."""
_MARK_LENGTH: Final = 16
"""The length of a mark, which identifies a member of a row."""
NAME_MARK_PREFIX: Final = "n "
_AGENT_MARK_PREFIX: Final = "a "
"""The prefixes of name marks and agent marks, which are members of the same row."""
_WORD: Final = re.compile(r"\w+")
_AGENT_NAME: Final = "Agent name"

Detail: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class RequestToCompare:
    """A request to compare."""

    agent: Agent
    user: User
    target: TokenTarget
    details: Sequence[Detail]
    actions: Sequence[ActionType]


class ValueLocation(NamedTuple):
    """The location of a value. `str()` renders its label, which is rarely needed."""

    action: ActionType | None
    trail: Trail = ()

    def __str__(self) -> str:
        return _AGENT_NAME if self.action is None else rendering.label_of(self.action, self.trail)


class TextKeys(NamedTuple):
    """The keys of a text, for finding earlier lookalikes."""

    location: ValueLocation
    mark: str
    key: str


class NameKeys(NamedTuple):
    """The keys of a target's name, for this person and for the installation."""

    location: ValueLocation
    mark: str
    person: str
    everybody: str


class TargetKeys(NamedTuple):
    """The keys of a target, for this person and for the installation."""

    location: ValueLocation
    mark: str
    person: str
    everybody: str
    name: NameKeys | None


class AmountKeys(NamedTuple):
    """The keys of an amount by type and unit, for this agent, this person and all people."""

    location: ValueLocation
    value: int
    currency: str | None
    kind: str
    agent: str
    person: str
    everybody: str

    @property
    def mark(self) -> str:
        """Return the mark of the unit."""
        return f"unit {self.currency}"


class PartKeys(NamedTuple):
    """The keys for one target's amounts: approved before, and requested today."""

    amount: AmountKeys
    target: ValueLocation
    person: str
    asked: str


@dataclass(frozen=True, slots=True)
class HistoryKeys:
    """All keys and marks of one request."""

    agent: str
    agent_mark: str
    name: TextKeys
    credentials: frozenset[str]
    types: Mapping[str, str]
    scopes: Mapping[str, str]
    resource: Mapping[str, str]
    kinds: tuple[str, ...]
    asked_day: str
    asked_hour: str
    targets: tuple[TargetKeys, ...]
    amounts: tuple[AmountKeys, ...]
    parts: tuple[PartKeys, ...]
    texts: tuple[TextKeys, ...]
    mixed_scripts: tuple[ValueLocation, ...]
    """The locations of words that mix scripts."""


def keys_of(secrets: Secrets, compared_request: RequestToCompare) -> HistoryKeys:
    """Compute the keys of one request."""
    agent, user = compared_request.agent, compared_request.user.id
    uri = compared_request.target.resource.uri
    builder = _KeyBuilder(secrets, user)
    for action, detail in zip(compared_request.actions, compared_request.details, strict=True):
        builder.add(action, detail)
    kinds = dict.fromkeys(action.type for action in compared_request.actions) or (uri,)
    mixed = [ValueLocation(None)] if is_mixed(agent.name) else []
    return HistoryKeys(
        agent=f"agent {user}",
        agent_mark=_AGENT_MARK_PREFIX + agent.id,
        name=builder.text(ValueLocation(None), agent.name, ()),
        credentials=frozenset(f"key {credential}" for credential in credentials(secrets, agent)),
        types={f"type {action.type}": action.title for action in compared_request.actions},
        scopes={f"scope {uri} {scope}": scope for scope in compared_request.target.scope},
        resource={f"resource {uri}": uri},
        kinds=tuple(f"kind {user} {kind}" for kind in kinds),
        asked_day=f"asked day {user}",
        asked_hour=f"asked hour {user}",
        targets=tuple(builder.targets),
        amounts=tuple(builder.amounts.values()),
        parts=tuple(builder.parts.values())[:MAX_TARGETS],
        texts=tuple(builder.texts[:MAX_TEXTS]),
        mixed_scripts=(*mixed, *builder.mixed_scripts),
    )


def name_mark(secrets: Secrets, user_id: str, name: str) -> str:
    """Return the mark for another name of an agent."""
    return _KeyBuilder(secrets, user_id).text(ValueLocation(None), name, ()).mark


def credentials(secrets: Secrets, agent: Agent) -> list[str]:
    """Return the marks for the agent's keys and secrets."""
    jwks = [_hash_parts(secrets, sorted(jwk.items())) for jwk in agent.jwks]
    return [*jwks, *[secret.id for secret in agent.secrets]]


def _hash_parts(secrets: Secrets, parts: object) -> str:
    text = ascii(parts)
    hash_text = _hash if len(text) <= _MAX_CACHED else _hash.__wrapped__
    return hash_text(secrets, text)  # type: ignore[arg-type]  # hashable by identity


@lru_cache(maxsize=4_096)
def _hash(secrets: Secrets, parts: str) -> str:
    """Return the hash, cached because an agent's requests use the same few keys repeatedly."""
    return secrets.keyed_hash("history", parts)


@dataclass(frozen=True, slots=True)
class _KeyBuilder:
    """Collects the keys of each detail. Values are hashed, registered names are not."""

    secrets: Secrets
    user: str
    targets: list[TargetKeys] = field(default_factory=list)
    amounts: dict[str, AmountKeys] = field(default_factory=dict)
    parts: dict[str, PartKeys] = field(default_factory=dict)
    texts: list[TextKeys] = field(default_factory=list)
    mixed_scripts: list[ValueLocation] = field(default_factory=list)

    def add(self, action: ActionType, detail: Detail) -> None:
        """Add the keys of one detail."""
        target_keys = [
            self._target(action, detail, trail, value)
            for trail, value in _values_at(detail, action.fact_rules.target)
        ]
        self.targets.extend(target_keys)
        for trail, value in _values_at(detail, action.fact_rules.amount):
            self._amount(action, trail, value, target_keys)
        self._texts(action, detail)
        self.mixed_scripts.extend(ValueLocation(action, trail) for trail in _mixed_trails(detail))

    def text(self, location: ValueLocation, value: str, where: Path) -> TextKeys:
        """Return the keys of a text."""
        kind = "" if location.action is None else location.action.type
        plain = _normalized(value)
        return TextKeys(
            location,
            self._hash("text", kind, where, plain)[:_MARK_LENGTH],
            self._hash("alike", self.user, kind, where, _skeleton(plain)),
        )

    def _hash(self, *parts: object) -> str:
        return _hash_parts(self.secrets, parts)

    def _target(
        self, action: ActionType, detail: Detail, trail: Trail, value: JsonValue
    ) -> TargetKeys:
        normalized = "".join(value.split()) if isinstance(value, str) else value
        everybody = self._hash("target", action.type, normalized)
        name = self._name(action, detail, trail)
        person = f"{self.user} {everybody}"
        return TargetKeys(
            ValueLocation(action, trail), everybody[:_MARK_LENGTH], person, everybody, name
        )

    def _name(self, action: ActionType, detail: Detail, target_trail: Trail) -> NameKeys | None:
        """Return the keys of a target's name; for a target in a list, the name in the same item."""
        for trail, value in _values_at(detail, action.fact_rules.target_name):
            steps = _indexes(trail)
            if isinstance(value, str) and steps == _indexes(target_trail)[: len(steps)]:
                everybody = self._hash("name", action.type, _normalized(value))
                mark = NAME_MARK_PREFIX + everybody[:_MARK_LENGTH]
                person = f"{self.user} {everybody}"
                return NameKeys(ValueLocation(action, trail), mark, person, everybody)
        return None

    def _amount(
        self, action: ActionType, trail: Trail, value: JsonValue, targets: Sequence[TargetKeys]
    ) -> None:
        """Sum amounts by type and unit, and by target."""
        currency, number = _number(value)
        if number is None:
            return
        unit = f"{action.type} {currency}"
        amount_keys = AmountKeys(
            ValueLocation(action, trail),
            abs(number),
            currency,
            f"kind {self.user} {action.type}",
            f"amount {self.user} {unit}",
            f"amount {unit}",
            f"all {unit}",
        )
        self.amounts[unit] = _add_amounts(self.amounts.get(unit), amount_keys)
        target = _target_of(trail, targets)
        if target is not None:
            key = f"{target.person} {currency}"
            before = self.parts.get(key)
            total = _add_amounts(None if before is None else before.amount, amount_keys)
            self.parts[key] = PartKeys(total, target.location, key, f"asked {key}")

    def _texts(self, action: ActionType, detail: Detail) -> None:
        """Add the keys of short material texts, of the target and of its name."""
        fact_rules = action.fact_rules
        for path in dict.fromkeys((fact_rules.target, fact_rules.target_name, *action.material)):
            for trail, value in _values_at(detail, path):
                if isinstance(value, str) and _is_comparable(value):
                    self.texts.append(self.text(ValueLocation(action, trail), value, path or ()))


def _values_at(detail: Detail, path: Path | None) -> list[tuple[Trail, JsonValue]]:
    """Return the values at a path; the fast case is a member of the detail itself."""
    if path is None:
        return []
    if len(path) == 1 and isinstance(detail.get(path[0]), (str, int)):
        return [(path, detail[path[0]])]
    return [
        (trail, value) for trail, value in rendering.values_at(detail, path) if value is not None
    ]


def _indexes(trail: Trail) -> tuple[int, ...]:
    return tuple(step for step in trail if isinstance(step, int))


def _number(value: JsonValue) -> tuple[str | None, int | None]:
    """Return the currency, if the value is money, and the number."""
    if isinstance(value, dict):
        return cast("str", value["currency"]), cast("int", value["minor"])
    return None, value if isinstance(value, int) else None


def _add_amounts(before: AmountKeys | None, amount_keys: AmountKeys) -> AmountKeys:
    return (
        amount_keys if before is None else before._replace(value=before.value + amount_keys.value)
    )


def _target_of(trail: Trail, targets: Sequence[TargetKeys]) -> TargetKeys | None:
    """Return the target of an amount, if it is unambiguous."""
    if len(targets) == 1:
        return targets[0]
    steps = _indexes(trail)
    return next(
        (target for target in targets if steps and _indexes(target.location.trail) == steps), None
    )


def _is_comparable(value: str) -> bool:
    is_short = len(value) <= _MAX_CHARACTERS
    return is_short and not value.isdecimal() and not rendering.is_time(value)


def _mixed_trails(detail: Detail) -> list[Trail]:
    """Return the trails of all texts in which a word mixes scripts."""
    if all(map(_is_ascii, detail.values())):
        return []
    return [
        trail
        for trail, value in rendering.leaves(detail)
        if isinstance(value, str) and is_mixed(value)
    ]


def _is_ascii(value: JsonValue) -> bool:
    """Return whether the value cannot contain a word that mixes scripts."""
    if isinstance(value, str):
        return value.isascii()
    return not isinstance(value, (dict, list)) or read_money(value) is not None


def is_mixed(text: str) -> bool:
    """Return whether a word of the text mixes scripts that no language mixes."""
    return not text.isascii() and any(map(confusables.mixed_scripts, _WORD.findall(text)))


def _normalized(text: str) -> str:
    """Normalize a text for comparison: Unicode form, case and whitespace."""
    normal_form = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(normal_form.casefold().split())


@lru_cache(maxsize=4_096)
def _skeleton(text: str) -> str:
    """Return the skeleton of a short text, from a cache."""
    return confusables.skeleton(text)
