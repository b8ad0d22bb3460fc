"""What is unusual about a request, by what was approved before.

Each approved request adds to counters, and a new one looks up the few that are about it: the cost
does not grow with history. What a yes will add is written down when the request is made, so that
it is what was looked at, whatever happens to the action type meanwhile. Keys are keyed hashes:
whoever has only the database cannot try out account numbers.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Protocol, TypeAlias, cast

from server.protocol import rendering, unusual
from server.protocol.actions import ActionType
from server.protocol.json_text import JsonValue
from server.protocol.pointers import Path
from server.protocol.rendering import Trail
from server.protocol.stakes import Stakes
from server.protocol.text import SafeText
from server.protocol.unusual import Code, Oddity, Unusual
from server.services.approval_records import Approval
from server.services.ports import Secrets, Unit, View
from server.services.records import Agent, User
from server.services.targets import Target

MOST_TARGETS: Final = 32
"""Targets of one request that are remembered; one beyond that is new every time."""

Known: TypeAlias = Mapping[str, tuple[int, int]]
"""Key → how often, how much."""

_ANSWERS = "answers"
_HOURS = 24
_HOUR_MS = 3_600_000
_NEVER = (0, 0)


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
    def details(self) -> Sequence[Mapping[str, JsonValue]]:
        """What for."""

    @property
    def actions(self) -> Sequence[ActionType]:
        """The types of the details."""


@dataclass(frozen=True, slots=True)
class Past:
    """A request beside what was approved before."""

    oddities: tuple[Oddity, ...]
    marks: "_Marks"

    @property
    def text(self) -> str:
        """What is kept with the approval: the codes, and what a yes adds."""
        return _written(list(dict.fromkeys(str(one.code) for one in self.oddities)), self.marks)

    @property
    def unusual(self) -> Unusual:
        """The codes alone."""
        return Unusual(frozenset(oddity.code for oddity in self.oddities))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands; what that is called is asked where it is unusual alone."""

    action: ActionType
    trail: Trail

    @property
    def label(self) -> SafeText:
        """What the type calls it."""
        return rendering.called(self.action, self.trail)


@dataclass(frozen=True, slots=True)
class _Amount:
    """What one request has of one type and unit, added up."""

    place: _Place
    currency: str | None
    """None for a number."""
    value: int

    def shown(self, value: int) -> str:
        """Another value of this unit, as a fact has it."""
        if self.currency is None:
            return rendering.shown(value)
        return rendering.shown({"minor": value, "currency": self.currency})


@dataclass(frozen=True, slots=True)
class _Marks:
    """The keys under which one request is looked up, and remembered after a yes."""

    agent: str
    keys: tuple[str, ...]
    scopes: Mapping[str, str]
    """Key → scope."""
    targets: Mapping[str, _Place]
    amounts: Mapping[str, _Amount]

    @property
    def counted(self) -> list[str]:
        """What a yes counts once more."""
        return [self.agent, *self.keys, *self.scopes, *list(self.targets)[:MOST_TARGETS]]


def look(view: View, secrets: Secrets, wanted: Wanted) -> Past:
    """Compare a request with what was approved before, for this agent and this person."""
    marks = _marks(secrets, wanted)
    hour = _hour(view.now)
    times, agent, user = (_ANSWERS, *_hours_about(hour)), wanted.agent.id, wanted.user.id
    keys = [(agent, key) for key in (*marks.counted, *marks.amounts)]
    known = view.history.of([*keys, *[(user, key) for key in times]])
    oddities = [*_about_agent(wanted.agent.name, marks, known), *_about_action(marks, known)]
    answers, *few = [known.get(key, _NEVER)[0] for key in times]
    if unusual.is_rare(answers, near=sum(few)):
        oddities.append(unusual.unusual_hour(hour))
    return Past(tuple(oddities), marks)


def granted(secrets: Secrets, approval: Approval, wanted: Wanted) -> str:
    """The text of a request of which less was granted: a yes adds that much, and no more."""
    return _written(json.loads(approval.past).get("codes", []), _marks(secrets, wanted))


def remember(tx: Unit, approval: Approval, *, approved: bool) -> None:
    """Add an answer: the hour of its person whatever it was, and what a yes allowed.

    In the order of the keys, so that no two units of work wait for each other.
    """
    if approval.kind != "action" or approval.user_id is None:
        return
    added = json.loads(approval.past) if approved else {}
    rows = dict.fromkeys(((approval.agent_id, key) for key in added.get("marks", ())), 0)
    rows |= {(approval.agent_id, key): value for key, value in added.get("amounts", {}).items()}
    rows |= {(approval.user_id, key): 0 for key in (_ANSWERS, _of_hour(_hour(tx.now)))}
    for (owner, key), amount in sorted(rows.items()):
        tx.history.add(owner, key, amount)


def unusual_of(past: str) -> Unusual:
    """What was unusual about a request when it was made, as it is kept with the request."""
    return Unusual(frozenset(map(Code, json.loads(past).get("codes", ()))))


def _marks(secrets: Secrets, wanted: Wanted) -> _Marks:
    user, resource = wanted.user.id, wanted.target.resource.uri

    def key(*parts: JsonValue) -> str:
        return _key(secrets, ascii(parts))  # type: ignore[arg-type]  # hashed as the object that it is

    return _Marks(
        agent=key("agent", user),
        keys=tuple(key("key", user, credential) for credential in credentials(wanted.agent)),
        scopes={key("scope", resource, name): name for name in wanted.target.scope},
        targets={
            key("target", user, place.action.type, value): place
            for place, value in _values(wanted, lambda stakes: stakes.target)
            if value is not None
        },
        amounts=_amounts(wanted, key),
    )


@lru_cache(maxsize=4_096)
def _key(secrets: Secrets, parts: str) -> str:
    """Most of what one agent asks for is compared by the same few keys time and again."""
    return secrets.keyed_hash("history", parts)


def _amounts(wanted: Wanted, key: Callable[..., str]) -> Mapping[str, _Amount]:
    found: dict[str, _Amount] = {}
    for place, value in _values(wanted, lambda stakes: stakes.amount):
        currency, number = _number(value)
        if number is not None:
            mark = key("amount", place.action.type, currency)
            before = found.get(mark)
            so_far = 0 if before is None else before.value
            found[mark] = _Amount(place, currency, so_far + abs(number))
    return found


def _number(value: JsonValue) -> tuple[str | None, int | None]:
    """The currency, if it is money, and how much; no number where the member was left out."""
    if isinstance(value, dict):
        return cast("str", value["currency"]), cast("int", value["minor"])
    return None, value if isinstance(value, int) else None


def _values(
    wanted: Wanted, place: Callable[[Stakes], Path | None]
) -> Iterator[tuple[_Place, JsonValue]]:
    for action, detail in zip(wanted.actions, wanted.details, strict=True):
        path = place(action.stakes)
        if path is not None:
            for trail, value in rendering.along(detail, path):
                yield _Place(action, trail), value


def credentials(agent: Agent) -> list[JsonValue]:
    """What this agent can prove itself by."""
    keys: list[JsonValue] = [json.dumps(dict(jwk), sort_keys=True) for jwk in agent.jwks]
    return [*keys, *(secret.id for secret in agent.secrets)]


def _about_agent(agent: str, marks: _Marks, known: Known) -> Iterator[Oddity]:
    if marks.agent not in known:
        yield unusual.new_agent(agent)
    elif any(key not in known for key in marks.keys):
        yield unusual.new_key(agent)
    if scopes := [scope for key, scope in marks.scopes.items() if key not in known]:
        yield unusual.new_scope(agent, scopes)


def _about_action(marks: _Marks, known: Known) -> Iterator[Oddity]:
    if labels := [at.label for key, at in marks.targets.items() if key not in known]:
        yield unusual.new_target(labels)
    for key, amount in marks.amounts.items():
        count, total = known.get(key, _NEVER)
        times = unusual.times_usual(amount.value, count=count, total=total)
        if times is not None:
            yield unusual.large_amount(amount.place.label, times, amount.shown(total // count))


def _written(codes: Sequence[str], marks: _Marks) -> str:
    amounts = {key: amount.value for key, amount in marks.amounts.items()}
    kept = {"codes": list(codes), "marks": marks.counted, "amounts": amounts}
    return json.dumps(kept, separators=(",", ":"))


def _hour(moment: int) -> int:
    """The hour of the day in UTC."""
    return moment // _HOUR_MS % _HOURS


@cache
def _hours_about(hour: int) -> tuple[str, str, str]:
    return _of_hour(hour - 1), _of_hour(hour), _of_hour(hour + 1)


def _of_hour(hour: int) -> str:
    return f"hour {hour % _HOURS}"
