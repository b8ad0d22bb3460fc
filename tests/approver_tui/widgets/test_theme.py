"""The colors of the app and the pages: text is legible, and a risk has one color everywhere."""

import re
from dataclasses import replace
from importlib import resources

import pytest
import rich.color
from textual.color import Color

from approver_tui.settings import THEMES as NAMES
from approver_tui.widgets.theme import (
    DEFAULTS,
    SAYSO,
    SIXTEEN_COLORS,
    THEMES,
    legible,
    recolored,
)

_TUI = (resources.files("approver_tui") / "approver.tcss").read_text("utf-8")
_PAGES = (resources.files("server.web") / "templates" / "style.css").read_text("utf-8")
_CONSOLE = (resources.files("server.web") / "templates" / "console.css").read_text("utf-8")
_HUES = {"low": "gray", "medium": "blue", "high": "amber", "critical": "red"}


def _contrast(first, second):
    darker, lighter = sorted(
        sum(
            share * (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4)
            for share, v in zip((0.2126, 0.7152, 0.0722), color.normalized, strict=True)
        )
        for color in (first, second)
    )
    return (lighter + 0.05) / (darker + 0.05)


def _hue(color):
    hue, saturation, _ = Color.parse(color).hsl
    if saturation < 0.25:
        return "gray"
    return "blue" if 0.5 < hue < 0.7 else "amber" if 0.08 < hue < 0.16 else "red"


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_is_legible_in_every_theme(theme):
    """Text meets the contrast required by WCAG 2.2 (1.4.3) on each background of our themes."""
    _check_legible(theme)


def _check_legible(theme):
    colors = {**DEFAULTS, **theme.to_color_system().generate(), **theme.variables}
    for name in set(re.findall(r"\.sheet--\w+ \{ color: \$([\w-]+)", _TUI)):
        for ground in ("background", "surface", "panel"):
            pair = Color.parse(colors[name]), Color.parse(colors[ground])
            assert _contrast(*pair) >= 4.5, (name, ground)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("background", ["#000000", "#767676", "#787878", "#ffff00", "#ffffff"])
def test_text_in_chosen_colors_is_legible(theme, background):
    """Text stays legible even if the user chose the background color for it."""
    names = ("background", "foreground", "secondary", "accent", "warning", "error")
    own = recolored(theme, dict.fromkeys(names, background))
    assert own.background == background
    _check_legible(own)


def test_a_chosen_color_replaces_only_that_color_of_the_theme():
    """A chosen color that is legible is used as it is, and other colors do not change."""
    own, unchanged = recolored(SAYSO, {"accent": "#ff8000"}), legible(SAYSO)
    assert own == replace(unchanged, accent=own.accent)
    steps = zip(Color.parse(own.accent).rgb, (0xFF, 0x80, 0x00), strict=True)
    assert all(abs(shown - chosen) <= 1 for shown, chosen in steps)  # Textual rounds
    assert recolored(SAYSO, {}) is SAYSO


def test_every_theme_but_those_of_the_terminal_is_measured():
    """Only `ansi` themes are not measured, because the terminal defines their colors."""
    measured = {theme.name for theme in THEMES}
    assert measured == {name for name in NAMES if not name.startswith("ansi")}


def test_each_risk_is_distinct_in_sixteen_colors():
    """A terminal with sixteen colors shows the nearest one, which must differ for each risk."""
    names = (re.search(rf"\.sheet--{risk} {{ color: \$([\w-]+)", _TUI)[1] for risk in _HUES)
    colors = [rich.color.Color.parse(getattr(SIXTEEN_COLORS, name)) for name in names]
    nearest = {color.downgrade(rich.color.ColorSystem.STANDARD).number for color in colors}
    assert len(nearest) == len(_HUES)


def _variables(block):
    return dict(re.findall(r"--([\w-]+): (#\w{6})", block))


@pytest.mark.parametrize("risk", _HUES)
def test_a_risk_has_one_color_in_app_chip_and_chart(risk):
    """The terminal, the chips and the charts use gray, blue, amber and red for the risks."""
    name = re.search(rf"\.sheet--{risk} {{ color: \$([\w-]+)", _TUI)[1]
    chip = re.search(
        rf"\.risk\.{risk} {{ color: var\(--([\w-]+)\); background: var\(--([\w-]+)", _PAGES
    )
    chart = re.search(rf"\.{risk}\b.*:is\(rect, \.key\) {{ fill: (#\w+)", _CONSOLE)[1]
    themes = [_variables(part) for part in _PAGES.split("--ink:")[1:]]
    colors = [getattr(THEMES[0], name), chart, *(theme[chip[1]] for theme in themes[:2])]
    assert {_hue(color) for color in colors} == {_HUES[risk]}
    for theme in themes:
        assert _contrast(Color.parse(theme[chip[1]]), Color.parse(theme[chip[2]])) >= 4.5
