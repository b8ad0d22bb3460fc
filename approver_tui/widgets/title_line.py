"""The first line of a panel.

Owns: drawing the line at the available width. Never: the content of the line.
"""

from collections import defaultdict
from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from approver_tui.widgets.lines import Line, Role

_STYLES = defaultdict(
    str,
    {
        Role.LOW: "$secondary",
        Role.MEDIUM: "$accent",
        Role.HIGH: "$warning",
        Role.CRITICAL: "$error reverse",
        Role.ALERT: "$warning",
    },
)
"""The styles of the roles; critical risk is reversed, so that it is visible without color."""


class TitleLine(Static):
    """A line that is created for the current width each time it is drawn."""

    def __init__(self, make_line: Callable[[int], Line]) -> None:
        super().__init__(markup=False)
        self._make_line = make_line

    def render(self) -> Content:
        """Draw the line."""
        pieces = self._make_line(self.size.width)
        return Content("").join(Content.styled(piece.text, _STYLES[piece.role]) for piece in pieces)
