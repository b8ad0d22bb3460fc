"""Charts as coordinates; the templates draw them as SVG.

Owns: scales and positions. Never: colors or text. Every chart's numbers are also in a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from server.protocol.policy.risks import Risk
from server.services.operations.statistics import OVERLOAD_PER_DAY, UNREAD_AGREEMENT

WIDTH: Final = 360
HEIGHT: Final = 120
"""The size of a column chart in SVG units; the page scales it."""
_HOUR: Final = 3_600
_GAP: Final = 0.3
"""The share of a column's width that stays empty."""
ENDS: Final = ("approved", "denied", "expired", "cancelled", "waiting")
_RISKS: Final = tuple(str(risk) for risk in Risk)
BAR_LENGTH: Final = 100
BAR_HEIGHT: Final = 8
_BEYOND_LIMIT: Final = 1.25
"""Maximum length of a usage bar, as a multiple of the limit."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A rectangle of a chart; `kind` is its CSS class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A column chart with grid lines."""

    pieces: Sequence[Segment]
    lines: Sequence[tuple[float, int]]
    """The height and value of each grid line."""
    names: Sequence[tuple[float, str]]
    """The position and text of each label below the columns."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar, and the position of its threshold mark."""

    pieces: Sequence[Segment]
    mark: float | None = None


def of_overview(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The charts of the overview, from the API's statistics."""
    numbers = facts["numbers"]
    return {
        "ends": results_by_day(numbers["days"]),
        "medians": median_by_day(numbers["days"]),
        "endings": time_left(numbers["ending"]),
        "shares": result_bars(numbers["people"]),
        "busiest": busiest_day_bars(numbers["people"]),
        "many": OVERLOAD_PER_DAY,
        "agreements": agreement_bars(numbers["agents"]),
    }


def of_agent(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The chart of one agent's requests."""
    return {"chart": results_by_day(facts["course"]["days"])}


def of_limits(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The usage bars of the agents and people near a limit, by the name of the limit."""
    items = facts["limits"]["items"]
    return {
        "used": {
            limit["name"]: [_usage(near, limit["value"]) for near in limit["near"]]
            for limit in items
        }
    }


def _usage(near: Mapping[str, Any], limit: int) -> Bar:
    """A bar with its mark at the limit."""
    kind = "much" if near["reached"] else "expired"
    reach = limit * _BEYOND_LIMIT
    return _bar([(kind, min(near["count"], reach))], reach, round(BAR_LENGTH / _BEYOND_LIMIT, 1))


def results_by_day(days: Sequence[Mapping[str, Any]]) -> Chart:
    """The results of each day's requests."""
    return _columns(_dates(days), [[(end, day[end]) for end in ENDS] for day in days])


def median_by_day(days: Sequence[Mapping[str, Any]]) -> Chart:
    """The median seconds to an answer on each day."""
    medians = [(day["median_ms"] or 0) / 1000 for day in days]
    return _columns(_dates(days), [[("took", seconds)] for seconds in medians])


def time_left(groups: Sequence[Mapping[str, Any]]) -> Chart:
    """Pending requests by time left and risk, with the highest risk at the bottom."""
    stacks = [[(risk, group[risk]) for risk in reversed(_RISKS)] for group in groups]
    return _columns([_time_label(group["within_seconds"]) for group in groups], stacks)


def result_bars(people: Sequence[Mapping[str, Any]]) -> Mapping[str, Bar]:
    """A bar with the results of each person's requests, by their ID. All share one scale."""
    largest = max((person["asked"] for person in people), default=0)
    return {person["id"]: _bar([(end, person[end]) for end in ENDS], largest) for person in people}


def agreement_bars(agents: Sequence[Mapping[str, Any]]) -> Mapping[str, Bar]:
    """Each agent's share of approvals, with a mark at the share that counts as rubber-stamping."""
    mark = UNREAD_AGREEMENT * BAR_LENGTH
    return {
        agent["id"]: _bar(
            [("much" if agent["unread"] else "approved", agent["agreement"])], 1, mark
        )
        for agent in agents
        if agent["agreement"] is not None
    }


def busiest_day_bars(people: Sequence[Mapping[str, Any]]) -> Mapping[str, Bar]:
    """Each person's busiest day, with a mark at the daily limit."""
    largest = rounded_up(
        max((person["busiest"] for person in people), default=0) + OVERLOAD_PER_DAY / 2
    )
    mark = round(OVERLOAD_PER_DAY / largest * BAR_LENGTH, 1)
    return {
        person["id"]: _bar(
            [("much" if person["too_much"] else "took", person["busiest"])], largest, mark
        )
        for person in people
    }


def rounded_up(value: float) -> int:
    """The next number that is 1, 2, 4, 6 or 8 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 4, 6, 8):
            if factor * step >= value:
                return factor * step
        step *= 10


def _dates(days: Sequence[Mapping[str, Any]]) -> list[str]:
    """Labels for about seven of the days, including the last one; "" for the others."""
    interval = max(1, -(-len(days) // 7))
    names = [f"{date.fromisoformat(day['day']):%b} {int(day['day'][8:])}" for day in days]
    last = len(names) - 1
    return [name if (last - index) % interval == 0 else "" for index, name in enumerate(names)]


def _time_label(seconds: int | None) -> str:
    if seconds is None:
        return "later"
    return f"{seconds // 60} min" if seconds < _HOUR else f"{seconds // _HOUR} h"


def _columns(names: Sequence[str], stacks: Sequence[Sequence[tuple[str, float]]]) -> Chart:
    top = rounded_up(max((sum(value for _, value in stack) for stack in stacks), default=0))
    step = WIDTH / max(1, len(stacks))
    pieces = [
        piece
        for index, stack in enumerate(stacks)
        for piece in _column(stack, (index + _GAP / 2) * step, step * (1 - _GAP), top)
    ]
    lines = [(0.0, top), (HEIGHT / 2, top // 2)] if top > 1 else [(0.0, top)]
    labels = [((index + 0.5) * step, name) for index, name in enumerate(names) if name]
    return Chart(pieces, lines, labels)


def _column(stack: Sequence[tuple[str, float]], x: float, width: float, top: int) -> list[Segment]:
    pieces, y = [], float(HEIGHT)
    for kind, value in stack:
        height = value / top * HEIGHT
        y -= height
        if value:
            rectangle = (round(x, 1), round(y, 1), round(width, 1), round(height, 1))
            pieces.append(Segment(kind, *rectangle))
    return pieces


def _bar(values: Sequence[tuple[str, float]], full: float, mark: float | None = None) -> Bar:
    pieces, x = [], 0.0
    for kind, value in values:
        width = round(value / full * BAR_LENGTH, 1) if full else 0.0
        if value:
            pieces.append(Segment(kind, round(x, 1), 0.0, width, BAR_HEIGHT))
        x += width
    return Bar(pieces, mark)
