"""The themes of the app.

Owns: its two themes, the user's own colors, legible text. Never: showing a state by color alone;
every state also has a word or sign, with NO_COLOR too.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

SAYSO = Theme(
    name="sayso",
    primary="#7aa2c8",
    secondary="#8fa3b5",
    accent="#8fc1d4",
    foreground="#d6dade",
    background="#14181c",
    surface="#1a1f24",
    panel="#232a31",
    success="#9dbf9e",
    warning="#d9b36c",
    error="#e08a7d",
    dark=True,
    variables={"dim": "#8b949c"},
)
"""A calm dark theme; approving and denying look equally strong."""

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    success="#ffffff",
    warning="#ffff00",
    error="#ffb0b0",
    dark=True,
    variables={"dim": "#e0e0e0", "text-muted": "#ffffff"},
)
"""White and yellow on black, with a contrast of at least 7 to 1."""

DEFAULTS = {"dim": "#8b949c"}
"""Variables that Textual's themes lack."""

_GROUNDS = ("background", "surface", "panel")
_LEGIBLE = 4.5
"""The contrast of text that WCAG 2.2 requires (1.4.3)."""
_BLACK, _WHITE = Color.parse("#000"), Color.parse("#fff")
_STEPS = 40
_LINEAR = 0.04045
"""Up to this part of full intensity, sRGB is linear."""


def legible(theme: Theme) -> Theme:
    """Return the theme with each text color moved to black or white until it is legible."""
    colors = {**DEFAULTS, **theme.to_color_system().generate()}
    grounds = [Color.parse(colors[name]) for name in _GROUNDS]

    def text(name: str) -> str:
        return _legible_color(Color.parse(colors[name]), grounds)

    muted = dict.fromkeys(("dim", "text-muted", "text-disabled"), text("dim"))
    return replace(
        theme,
        foreground=text("foreground"),
        secondary=text("secondary"),
        accent=text("accent"),
        warning=text("warning"),
        error=text("error"),
        variables={**theme.variables, **muted},
    )


def recolored(theme: Theme, overrides: Mapping[str, str]) -> Theme:
    """Return the theme with the user's own colors; text in them is made legible too."""
    if not overrides:
        return theme
    changes: dict[str, Any] = {**overrides, **_grounds(overrides.get("background"))}
    return legible(replace(theme, **changes))


def _grounds(background: str | None) -> dict[str, Any]:
    """Return the colors of bars and panels on a background, farther from its text than itself."""
    if background is None:
        return {}
    color = Color.parse(background)
    is_dark = _contrast(color, _WHITE) > _contrast(color, _BLACK)
    end = _BLACK if is_dark else _WHITE
    shades = {"surface": color.blend(end, 0.15).hex6, "panel": color.blend(end, 0.3).hex6}
    return {**shades, "dark": is_dark}


def _legible_color(color: Color, grounds: list[Color]) -> str:
    end = max((_BLACK, _WHITE), key=lambda each: _lowest(each, grounds))
    steps = chain([color], (color.blend(end, step / _STEPS) for step in range(1, _STEPS)))
    return next((each for each in steps if _lowest(each, grounds) >= _LEGIBLE), end).hex6


def _lowest(color: Color, grounds: list[Color]) -> float:
    return min(_contrast(color, ground) for ground in grounds)


def _contrast(one: Color, other: Color) -> float:
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    """Return the relative luminance of WCAG 2.2."""
    red, green, blue = (
        part / 12.92 if part <= _LINEAR else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


THEMES = (
    SAYSO,
    HIGH_CONTRAST,
    *(
        legible(BUILTIN_THEMES[name])
        for name in ("textual-light", "nord", "gruvbox", "solarized-light")
    ),
)
"""The themes that bring their own colors; `ansi` themes use the terminal's."""
