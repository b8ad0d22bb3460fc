"""The theme of the pages in a browser: light, dark, high contrast, or the system's.

Owns: the theme cookie, which works without scripts and before the first paint.
Never: a setting per person; everyone who uses the browser has the same theme.
"""

from collections.abc import Mapping
from typing import Final

from flask import request

SYSTEM: Final = "system"
THEMES: Final[Mapping[str, str]] = {
    SYSTEM: "System",
    "light": "Light",
    "dark": "Dark",
    "contrast": "High contrast",
}
COOKIE: Final = "sayso-theme"
YEAR: Final = 365 * 24 * 60 * 60


def current() -> str:
    """The theme in the request's cookie; the system's if it is missing or unknown."""
    value = request.cookies.get(COOKIE, "")
    return value if value in THEMES else SYSTEM
