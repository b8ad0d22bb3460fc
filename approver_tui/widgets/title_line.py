"""The first line of a panel.

Owns: drawing it at the available width. Never: its content.
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
"""The same as in a list: reversed, the highest risk is seen without color too."""


class TitleLine(Static):
    """One line that is made for its width each time it is drawn."""

    def __init__(self, make_line: Callable[[int], Line]) -> None:
        super().__init__(markup=False)
        self._make_line = make_line

    def render(self) -> Content:
        """Draw the line."""
        pieces = self._make_line(self.size.width)
        return Content("").join(Content.styled(piece.text, _STYLES[piece.role]) for piece in pieces)
