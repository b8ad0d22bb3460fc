"""The user's own colors, as in `accent = #ff8800; background = #101418`.

Owns: their names, and parsing the setting. Never: whether text in these colors is legible;
`theme.py` takes care of that.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

COLOR_NAMES = ("background", "foreground", "secondary", "accent", "warning", "error")
NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})
_OVERRIDE = re.compile(r"\s*(\w+)\s*=\s*(#[0-9a-fA-F]{6})\s*")


def color_overrides(text: str) -> Mapping[str, str]:
    """Return each color by its name. Raises ValueError."""
    matches = [_OVERRIDE.fullmatch(part) for part in text.split(";") if part.strip()]
    overrides = {match[1]: match[2].lower() for match in matches if match}
    if len(overrides) != len(matches) or not overrides.keys() <= set(COLOR_NAMES):
        raise ValueError("use the form NAME = #RRGGBB; NAME = #RRGGBB")
    return overrides
