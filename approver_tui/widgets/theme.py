"""The colours of the app.

Owns: one theme. Never: a meaning; every state has its word or sign, and NO_COLOR loses nothing.
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
)
"""Calm on dark; yes and no weigh the same."""
