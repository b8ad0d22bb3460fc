"""The first line of a panel.

Owns: drawing it at the available width. Never: its content.
"""

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from approver_tui.widgets.lines import Line, text_of


class TitleLine(Static):
    """One line that is made for its width each time it is drawn."""

    def __init__(self, make_line: Callable[[int], Line]) -> None:
        super().__init__(markup=False)
        self._make_line = make_line

    def render(self) -> Content:
        """Draw the line."""
        return Content(text_of(self._make_line(self.size.width)))
