"""The themes of the app.

Owns: the app's own themes, the user's own colors, making text legible. Never: showing a state by
color alone; every state also has a word or sign, as NO_COLOR requires.
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
"""A calm dark theme in which approving and denying look equally prominent."""

SIXTEEN_COLORS = replace(
    SAYSO, name="sayso-16", accent="#00ffff", warning="#ffff00", error="#ff6060"
)
"""`SAYSO` for 16-color terminals, where the colors of `SAYSO` would all become gray."""

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
"""The values of variables that Textual's themes lack."""

_BACKGROUND_NAMES = ("background", "surface", "panel")
_MIN_TEXT_CONTRAST = 4.5
"""The minimum contrast of text in WCAG 2.2 (1.4.3)."""
_BLACK, _WHITE = Color.parse("#000"), Color.parse("#fff")
_BLEND_STEPS = 40
_LINEAR_LIMIT = 0.04045
"""Up to this fraction of full intensity, sRGB is linear."""


def legible(theme: Theme) -> Theme:
    """Return the theme with each text color moved toward black or white until legible."""
    colors = {**DEFAULTS, **theme.to_color_system().generate()}
    backgrounds = [Color.parse(colors[name]) for name in _BACKGROUND_NAMES]

    def text(name: str) -> str:
        return _legible_color(Color.parse(colors[name]), backgrounds)

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
    """Return the theme with the user's own colors, and with all text made legible."""
    if not overrides:
        return theme
    changes: dict[str, Any] = {**overrides, **_background_shades(overrides.get("background"))}
    return legible(replace(theme, **changes))


def _background_shades(background: str | None) -> dict[str, Any]:
    """Return the colors of bars and panels, which contrast more with text than `background`."""
    if background is None:
        return {}
    color = Color.parse(background)
    is_dark = _contrast(color, _WHITE) > _contrast(color, _BLACK)
    end = _BLACK if is_dark else _WHITE
    shades = {"surface": color.blend(end, 0.15).hex6, "panel": color.blend(end, 0.3).hex6}
    return {**shades, "dark": is_dark}


def _legible_color(color: Color, backgrounds: list[Color]) -> str:
    end = max((_BLACK, _WHITE), key=lambda extreme: _min_contrast(extreme, backgrounds))
    steps = chain(
        [color], (color.blend(end, step / _BLEND_STEPS) for step in range(1, _BLEND_STEPS))
    )
    return next(
        (shade for shade in steps if _min_contrast(shade, backgrounds) >= _MIN_TEXT_CONTRAST), end
    ).hex6


def _min_contrast(color: Color, backgrounds: list[Color]) -> float:
    return min(_contrast(color, background) for background in backgrounds)


def _contrast(first: Color, second: Color) -> float:
    darker, lighter = sorted(map(_luminance, (first, second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (
        part / 12.92 if part <= _LINEAR_LIMIT else ((part + 0.055) / 1.055) ** 2.4
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
"""The themes with their own colors; Textual's `ansi` themes use the terminal's colors."""
