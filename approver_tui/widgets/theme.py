"""The themes of the app.

Owns: its two themes, and what it needs of any other. Never: showing a state by color alone; every
state also has a word or sign, with NO_COLOR too.
"""

from textual.theme import Theme

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
