"""The keys under which one request is looked up in history, and added to it after a yes.

Owns: which facts of a request are compared, and with what. Keys and marks are keyed hashes: a
reader of the database alone cannot try out account numbers. Never: the rows; what is unusual.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, Protocol, TypeAlias, cast

from server.protocol import confusables, rendering
from server.protocol.actions import ActionType
from server.protocol.json_text import JsonValue
from server.protocol.pointers import Path
from server.protocol.rendering import Trail
from server.services.ports import Secrets
from server.services.records import Agent, User
from server.services.targets import Target

MOST_TARGETS: Final = 32
"""Targets of one request that are remembered; one beyond that is new every time."""
MOST_VALUES: Final = 8
"""Texts of one request that are compared with what looks like them."""

_MOST_CHARACTERS: Final = 140
_MARK: Final = 16
"""Characters of a hash that tell the members of one row apart."""
OF_NAME: Final = "n "
_OF_AGENT: Final = "a "
"""They tell the marks of names and of agents apart, which are members of the same row."""
_WORD: Final = re.compile(r"\w+")
_AGENT_NAME: Final = "Agent name"

Detail: TypeAlias = Mapping[str, JsonValue]
Hash: TypeAlias = Callable[..., str]


class Wanted(Protocol):
    """What an agent wants of a person, as far as it is compared."""

    @property
    def agent(self) -> Agent:
        """Who wants it."""

    @property
    def user(self) -> User:
        """Who would be asked."""

    @property
    def target(self) -> Target:
        """The resource and the scopes."""

    @property
    def details(self) -> Sequence[Detail]:
        """What for."""

    @property
    def actions(self) -> Sequence[ActionType]:
        """The types of the details."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is compared."""

    agent: Agent
    user: User
    target: Target
    details: Sequence[Detail]
    actions: Sequence[ActionType]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands; what that is called is asked only where something is unusual."""

    action: ActionType | None
    trail: Trail = ()

    @property
    def label(self) -> str:
        """What the type calls it."""
        return _AGENT_NAME if self.action is None else rendering.called(self.action, self.trail)


@dataclass(frozen=True, slots=True)
class TextKeys:
    """A text that may look like one that was approved before."""

    place: Place
    mark: str
    key: str


@dataclass(frozen=True, slots=True)
class NameKeys:
    """The name of a target."""

    place: Place
    mark: str
    person: str
    everybody: str


@dataclass(frozen=True, slots=True)
class TargetKeys:
    """A target: what this person, and what anybody here, approved of it."""

    place: Place
    mark: str
    person: str
    everybody: str
    name: NameKeys | None


@dataclass(frozen=True, slots=True)
class AmountKeys:
    """An amount by its type and unit: what this agent, this person and everybody approved."""

    place: Place
    value: int
    currency: str | None
    mark: str
    """Of the unit, among the units of its type."""
    kind: str
    agent: str
    person: str
    everybody: str


@dataclass(frozen=True, slots=True)
class PartKeys:
    """What is meant for one target: what was approved of it, and what is asked today."""

    amount: AmountKeys
    target: Place
    person: str
    asked: str


@dataclass(frozen=True, slots=True)
class Keys:
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
    mixed: tuple[Place, ...]
    """Where a word is written in several scripts."""


def keys_of(secrets: Secrets, wanted: Wanted) -> Keys:
    """The keys of one request."""

    def key(*parts: JsonValue) -> str:
        return _hash(secrets, ascii(parts))  # type: ignore[arg-type]  # hashed as the object that it is

    def mark(*parts: JsonValue) -> str:
        return key(*parts)[:_MARK]

    agent, user, uri = wanted.agent, wanted.user.id, wanted.target.resource.uri
    types = {action.type: action.title for action in wanted.actions}
    amounts = _amounts(wanted, key)
    name = _text(key, user, Place(None), agent.name)
    return Keys(
        agent=key("agent", user),
        agent_mark=_OF_AGENT + mark("agent", agent.id),
        name=name,
        credentials=frozenset(mark("key", one) for one in credentials(agent)),
        types={mark("type", one): title for one, title in types.items()},
        scopes={mark("scope", uri, one): one for one in wanted.target.scope},
        resource={mark("resource", uri): uri},
        kinds=tuple(key("kind", user, one) for one in types or (uri,)),
        asked_day=key("asked day", user),
        asked_hour=key("asked hour", user),
        targets=tuple(_targets(wanted, key)),
        amounts=tuple(amounts.values()),
        parts=tuple(_parts(wanted, key)),
        texts=tuple(islice(_texts(wanted, key), MOST_VALUES)),
        mixed=tuple(_mixed(wanted)),
    )


def credentials(agent: Agent) -> tuple[str, ...]:
    """What this agent can prove itself by."""
    jwks = (ascii(sorted(jwk.items())) for jwk in agent.jwks)
    return (*jwks, *(secret.id for secret in agent.secrets))


@lru_cache(maxsize=8_192)
def _hash(secrets: Secrets, parts: str) -> str:
    """Most of what one agent asks for is compared by the same few keys time and again."""
    return secrets.keyed_hash("history", parts)


def _pairs(wanted: Wanted) -> Iterator[tuple[ActionType, Detail]]:
    return zip(wanted.actions, wanted.details, strict=True)


def _at(detail: Detail, path: Path | None) -> list[tuple[Trail, JsonValue]]:
    if path is None:
        return []
    return [(trail, value) for trail, value in rendering.along(detail, path) if value is not None]


def _targets(wanted: Wanted, key: Hash) -> Iterator[TargetKeys]:
    user = wanted.user.id
    for action, detail in _pairs(wanted):
        for trail, value in _at(detail, action.stakes.target):
            parts = (action.type, _without_spaces(value))
            yield TargetKeys(
                Place(action, trail),
                key("target", *parts)[:_MARK],
                key("target", user, *parts),
                key("target", *parts),
                _name(action, detail, trail, key, user),
            )


def _name(action: ActionType, detail: Detail, of: Trail, key: Hash, user: str) -> NameKeys | None:
    """The name that stands beside a target: in a list, in the same item."""
    path = action.stakes.target_name
    for trail, value in _at(detail, path):
        if isinstance(value, str) and _indexes(trail) == _indexes(of)[: len(_indexes(trail))]:
            parts = (action.type, _plain(value))
            return NameKeys(
                Place(action, trail),
                OF_NAME + key("name", *parts)[:_MARK],
                key("name", user, *parts),
                key("name", *parts),
            )
    return None


def _indexes(trail: Trail) -> tuple[int, ...]:
    return tuple(step for step in trail if isinstance(step, int))


def _amounts(wanted: Wanted, key: Hash) -> dict[str, AmountKeys]:
    """Several amounts of one type and unit are added up."""
    found: dict[str, AmountKeys] = {}
    for action, detail in _pairs(wanted):
        for trail, value in _at(detail, action.stakes.amount):
            _add(found, _amount(Place(action, trail), action.type, value, key, wanted.user.id))
    return found


def _add(found: dict[str, AmountKeys], one: AmountKeys | None) -> None:
    if one is None:
        return
    before = found.get(one.agent)
    found[one.agent] = one if before is None else _sum(before, one.value)


def _sum(one: AmountKeys, more: int) -> AmountKeys:
    return AmountKeys(
        one.place,
        one.value + more,
        one.currency,
        one.mark,
        one.kind,
        one.agent,
        one.person,
        one.everybody,
    )


def _amount(place: Place, kind: str, value: JsonValue, key: Hash, user: str) -> AmountKeys | None:
    currency, number = _number(value)
    if number is None:
        return None
    unit = (kind, currency)
    return AmountKeys(
        place,
        abs(number),
        currency,
        key("unit", currency)[:_MARK],
        key("kind", user, kind),
        key("amount of agent", user, *unit),
        key("amount of person", *unit),
        key("amount of everybody", *unit),
    )


def _number(value: JsonValue) -> tuple[str | None, int | None]:
    """The currency, if it is money, and how much."""
    if isinstance(value, dict):
        return cast("str", value["currency"]), cast("int", value["minor"])
    return None, value if isinstance(value, int) else None


def _parts(wanted: Wanted, key: Hash) -> Iterator[PartKeys]:
    """The amount of each target, where it is clear which amount is for which target."""
    found: dict[str, PartKeys] = {}
    user = wanted.user.id
    for action, detail in _pairs(wanted):
        targets = _at(detail, action.stakes.target)
        for trail, value in _at(detail, action.stakes.amount):
            amount = _amount(Place(action, trail), action.type, value, key, user)
            to = _target_of(trail, targets)
            if amount is None or to is None:
                continue
            parts = (action.type, _without_spaces(to[1]), amount.currency)
            name = key("amount for target", user, *parts)
            before = found.get(name)
            whole = amount if before is None else _sum(before.amount, amount.value)
            found[name] = PartKeys(
                whole, Place(action, to[0]), name, key("asked for target", user, *parts)
            )
    yield from found.values()


def _target_of(
    trail: Trail, targets: Sequence[tuple[Trail, JsonValue]]
) -> tuple[Trail, JsonValue] | None:
    if len(targets) == 1:
        return targets[0]
    return next((one for one in targets if _indexes(one[0]) == _indexes(trail) != ()), None)


def _texts(wanted: Wanted, key: Hash) -> Iterator[TextKeys]:
    """The short material texts, the target and its name."""
    user = wanted.user.id
    for action, detail in _pairs(wanted):
        stakes = action.stakes
        named = [path for path in (stakes.target, stakes.target_name) if path is not None]
        for path in dict.fromkeys([*named, *action.material]):
            for trail, value in _at(detail, path):
                if isinstance(value, str) and _is_comparable(value):
                    yield _text(key, user, Place(action, trail), value, action.type, *path)


def _is_comparable(value: str) -> bool:
    short = len(value) <= _MOST_CHARACTERS
    return short and not value.isdecimal() and not rendering.is_time(value)


def _text(key: Hash, user: str, place: Place, value: str, *where: str) -> TextKeys:
    plain = _plain(value)
    return TextKeys(
        place,
        key("text", *where, plain)[:_MARK],
        key("alike", user, *where, _skeleton(plain)),
    )


def _mixed(wanted: Wanted) -> Iterator[Place]:
    if is_mixed(wanted.agent.name):
        yield Place(None)
    for action, detail in _pairs(wanted):
        for trail, value in rendering.leaves(detail):
            if isinstance(value, str) and is_mixed(value):
                yield Place(action, trail)


def is_mixed(text: str) -> bool:
    """Reports whether a word of it is written in scripts that no language mixes."""
    return not text.isascii() and any(map(confusables.mixed_scripts, _WORD.findall(text)))


def _without_spaces(value: JsonValue) -> JsonValue:
    """A target as it is compared: an account number is the same with and without spaces."""
    return "".join(value.split()) if isinstance(value, str) else value


@lru_cache(maxsize=8_192)
def _plain(text: str) -> str:
    """A name as it is compared: case and spaces between words tell nothing apart."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=8_192)
def _skeleton(text: str) -> str:
    return confusables.skeleton(text)
