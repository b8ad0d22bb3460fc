"""Pictures of numbers, as lengths and places; the template draws them.

Owns: scales. Never: a colour or a word; and no picture is the only way to its numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.protocol.policy.risks import Risk
from server.services.operations.statistics import MANY_A_DAY, MUCH_AGREEMENT

WIDTH: Final = 360
HEIGHT: Final = 120
"""In units of the picture; the page stretches it."""
_HOUR: Final = 3_600
_GAP: Final = 0.3
"""Which part of a bar's place stays empty."""
ENDS: Final = ("approved", "denied", "expired", "cancelled", "waiting")
_RISKS: Final = tuple(str(risk) for risk in Risk)
LONG: Final = 100
THICK: Final = 8
_BEYOND: Final = 1.25
"""Of a bar that lies beside its number."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar; `kind` says of what."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Pieces over lines at round numbers."""

    pieces: Sequence[Piece]
    lines: Sequence[tuple[float, int]]
    """How high, and which number that is."""
    names: Sequence[tuple[float, str]]
    """Where under the bars which name stands."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Pieces that lie one after the other, and where the mark is beyond which it is too much."""

    pieces: Sequence[Piece]
    mark: float | None = None


def of_overview(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pictures of the overview, from what the API says of the last days."""
    numbers = facts["numbers"]
    return {
        "ends": ends(numbers["days"]),
        "medians": medians(numbers["days"]),
        "endings": endings(numbers["ending"]),
        "shares": shares(numbers["people"]),
        "busiest": busiest(numbers["people"]),
        "many": MANY_A_DAY,
        "agreements": agreements(numbers["agents"]),
    }


def of_agent(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The picture of one agent's requests."""
    return {"chart": ends(facts["course"]["days"])}


def of_limits(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """How much of its limit each one who is near has used, by limit, in their order."""
    items = facts["limits"]["items"]
    return {
        "used": {one["name"]: [used(near, one["value"]) for near in one["near"]] for one in items}
    }


def used(near: Mapping[str, Any], most: int) -> Bar:
    """The mark is the limit; whoever tries on goes a little beyond it."""
    kind = "much" if near["over"] else "expired"
    reach = most * _BEYOND
    return _bar([(kind, min(near["count"], reach))], reach, round(LONG / _BEYOND, 1))


def ends(days: Sequence[Mapping[str, Any]]) -> Chart:
    """What became of each day's requests."""
    return _columns(_dates(days), [[(end, day[end]) for end in ENDS] for day in days])


def medians(days: Sequence[Mapping[str, Any]]) -> Chart:
    """How many seconds an answer took on each day."""
    took = [(day["median_ms"] or 0) / 1000 for day in days]
    return _columns(_dates(days), [[("took", seconds)] for seconds in took])


def endings(found: Sequence[Mapping[str, Any]]) -> Chart:
    """How soon those that wait end, by risk; the gravest stands on the floor."""
    stacks = [[(risk, one[risk]) for risk in reversed(_RISKS)] for one in found]
    return _columns([_until(one["within_seconds"]) for one in found], stacks)


def shares(people: Sequence[Mapping[str, Any]]) -> Mapping[str, Bar]:
    """What became of what each person was asked, by their ids; as long as whoever is asked most."""
    most = max((one["asked"] for one in people), default=0)
    return {one["id"]: _bar([(end, one[end]) for end in ENDS], most) for one in people}


def agreements(agents: Sequence[Mapping[str, Any]]) -> Mapping[str, Bar]:
    """How often people agree with each agent, beside the part from which on it is suspicious."""
    return {
        one["id"]: _bar(
            [("much" if one["unread"] else "approved", one["agreement"])], 1, MUCH_AGREEMENT * LONG
        )
        for one in agents
        if one["agreement"] is not None
    }


def busiest(people: Sequence[Mapping[str, Any]]) -> Mapping[str, Bar]:
    """The most requests of one day, beside the number from which on people stop reading."""
    most = top(max((one["busiest"] for one in people), default=0) + MANY_A_DAY / 2)
    mark = round(MANY_A_DAY / most * LONG, 1)
    return {
        one["id"]: _bar([("much" if one["too_much"] else "took", one["busiest"])], most, mark)
        for one in people
    }


def top(most: float) -> int:
    """The next round number from 1 on: 1, 2, 4, 6 or 8 with noughts."""
    step = 1
    while True:
        for factor in (1, 2, 4, 6, 8):
            if factor * step >= most:
                return factor * step
        step *= 10


def _dates(days: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for about seven of them, the last among them."""
    every = max(1, -(-len(days) // 7))
    names = [f"{int(one['day'][8:])}.{int(one['day'][5:7])}." for one in days]
    last = len(names) - 1
    return [name if (last - number) % every == 0 else "" for number, name in enumerate(names)]


def _until(seconds: int | None) -> str:
    if seconds is None:
        return "later"
    return f"{seconds // 60} min" if seconds < _HOUR else f"{seconds // _HOUR} h"


def _columns(names: Sequence[str], stacks: Sequence[Sequence[tuple[str, float]]]) -> Chart:
    high = top(max((sum(value for _, value in stack) for stack in stacks), default=0))
    place = WIDTH / max(1, len(stacks))
    pieces = [
        piece
        for number, stack in enumerate(stacks)
        for piece in _stack(stack, (number + _GAP / 2) * place, place * (1 - _GAP), high)
    ]
    lines = [(0.0, high), (HEIGHT / 2, high // 2)] if high > 1 else [(0.0, high)]
    shown = [((number + 0.5) * place, name) for number, name in enumerate(names) if name]
    return Chart(pieces, lines, shown)


def _stack(stack: Sequence[tuple[str, float]], x: float, width: float, high: int) -> list[Piece]:
    pieces, y = [], float(HEIGHT)
    for kind, value in stack:
        height = value / high * HEIGHT
        y -= height
        if value:
            pieces.append(Piece(kind, round(x, 1), round(y, 1), round(width, 1), round(height, 1)))
    return pieces


def _bar(values: Sequence[tuple[str, float]], most: float, mark: float | None = None) -> Bar:
    pieces, x = [], 0.0
    for kind, value in values:
        width = round(value / most * LONG, 1) if most else 0.0
        if value:
            pieces.append(Piece(kind, round(x, 1), 0.0, width, THICK))
        x += width
    return Bar(pieces, mark)
