"""Geometry of the charts, and the contrast of their colors on every card."""

import re
from importlib import resources

import pytest

from server.http.operations.statistics import NearLimit
from server.web import charts

_FILLS = re.compile(r"(?:\bfill|\bbackground): (#[0-9a-f]{6})")
_CARDS = re.compile(r"--card: (#[0-9a-f]{6})")


def _day(day="2027-01-31", **counts):
    return {**dict.fromkeys(charts.ENDS, 0), "median_ms": None, "day": day, **counts}


def _person(name, *, busiest=1, too_much=False, **counts):
    tally = {**dict.fromkeys(charts.ENDS, 0), **counts}
    return {"id": name, "asked": sum(tally.values()), "busiest": busiest, **tally} | {
        "too_much": too_much
    }


def _ending(seconds, **counts):
    return {"within_seconds": seconds, "low": 0, "medium": 0, "high": 0, "critical": 0, **counts}


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (1.5, 2), (3, 4), (7, 8), (9, 10), (11, 20), (501, 600)]
)
def test_a_scale_ends_at_a_round_number(most, top):
    """The end of the scale is at or above the largest value."""
    assert charts.rounded_up(most) == top


def test_bars_are_stacked_and_fit():
    """The bars of a day add up to the chart's height; zero values are not drawn."""
    chart = charts.results_by_day([_day(approved=3, denied=1), _day(day="2027-02-01")])
    lower, upper = chart.pieces
    assert (lower.kind, upper.kind) == ("approved", "denied")
    assert lower.y + lower.height == charts.HEIGHT
    assert upper.y + upper.height == lower.y
    assert upper.y == 0
    assert [name for _, name in chart.names] == ["Jan 31", "Feb 1"]
    assert [value for _, value in chart.lines] == [4, 2]


def test_many_days_have_few_labels_and_the_last_has_one():
    """A label for each of 30 days would overlap with the next."""
    chart = charts.median_by_day([_day(day=f"2027-01-{n:02}", median_ms=500) for n in range(1, 31)])
    assert len(chart.names) <= 7
    assert chart.names[-1][1] == "Jan 30"
    assert [value for _, value in chart.lines] == [1]


@pytest.mark.parametrize(("reached", "kind"), [(True, "much"), (False, "expired")])
def test_a_usage_bar_has_its_mark_at_the_limit(reached, kind):
    """The bar is drawn from the API's members; it never leaves the chart."""
    near = NearLimit(agent=None, user=None, other="192.0.2.7", count=100, reached=reached)
    limit = {"name": "pin", "value": 10, "near": [near.model_dump()]}
    (bar,) = charts.of_limits({"limits": {"items": [limit]}})["used"]["pin"]
    assert [(piece.kind, piece.width) for piece in bar.pieces] == [(kind, charts.BAR_LENGTH)]
    assert bar.mark == 80


def test_no_days_make_an_empty_chart():
    """A chart without days has no bars."""
    assert charts.results_by_day([]).pieces == []


def test_pending_requests_are_stacked_by_time_left_highest_risk_first():
    """Requests with more time left than the last column have a column of their own."""
    chart = charts.time_left(
        [_ending(60, low=1, critical=2), _ending(3_600), _ending(None, high=1)]
    )
    assert [(piece.kind, piece.height) for piece in chart.pieces] == [
        ("critical", 60.0),
        ("low", 30.0),
        ("high", 30.0),
    ]
    assert chart.pieces[0].y + chart.pieces[0].height == charts.HEIGHT
    assert [name for _, name in chart.names] == ["1 min", "1 h", "later"]


def test_the_user_with_most_requests_has_the_longest_bar():
    """The segments of a bar are next to each other and stay within the bar."""
    bars = charts.result_bars([_person("eva", approved=3, denied=1), _person("bob", expired=2)])
    assert [(piece.kind, piece.x, piece.width) for piece in bars["eva"].pieces] == [
        ("approved", 0.0, 75.0),
        ("denied", 75.0, 25.0),
    ]
    assert [(piece.kind, piece.width) for piece in bars["bob"].pieces] == [("expired", 50.0)]


def test_a_bar_longer_than_the_mark_is_highlighted():
    """Every bar has the mark, and only a bar longer than the mark is highlighted."""
    much, little = _person("eva", busiest=40, too_much=True), _person("bob", busiest=3)
    bars = charts.busiest_day_bars([much, little])
    for bar in bars.values():
        assert 0 < bar.mark < charts.BAR_LENGTH
    assert (bars["eva"].pieces[0].kind, bars["bob"].pieces[0].kind) == ("much", "took")
    assert bars["eva"].pieces[0].width > bars["eva"].mark > bars["bob"].pieces[0].width


def test_an_agent_without_an_agreement_rate_has_no_bar():
    """Without answered requests there is no rate to draw."""
    agent = {"id": "a", "agreement": 0.97, "unread": True}
    bars = charts.agreement_bars([agent, {"id": "b", "agreement": None, "unread": False}])
    assert list(bars) == ["a"]
    assert [(piece.kind, piece.width) for piece in bars["a"].pieces] == [("much", 97.0)]
    assert bars["a"].mark == pytest.approx(95)


def test_empty_data_makes_empty_charts():
    """Every chart accepts an empty list."""
    assert (charts.result_bars([]), charts.busiest_day_bars([]), charts.agreement_bars([])) == (
        {},
        {},
        {},
    )
    assert charts.result_bars([_person("eva")])["eva"].pieces == []
    assert charts.time_left([]).pieces == []


def _luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_chart_color_is_visible_on_every_card():
    """WCAG 2.2, 1.4.11: the contrast is at least 3:1 in the light, dark and contrast themes."""
    folder = resources.files("server.web") / "templates"
    rules = (folder / "console.css").read_text("utf-8").splitlines()
    drawn = {
        color for line in rules if "rect" in line.split("{")[0] for color in _FILLS.findall(line)
    }
    cards = set(_CARDS.findall((folder / "style.css").read_text("utf-8")))
    assert len(drawn) >= len(charts.ENDS)
    assert len(cards) >= 4
    for color in drawn:
        for card in cards:
            lower, higher = sorted((_luminance(color), _luminance(card)))
            assert (higher + 0.05) / (lower + 0.05) >= 3, (color, card)
