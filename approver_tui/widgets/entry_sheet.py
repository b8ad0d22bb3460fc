"""A sheet of lines that a screen creates, such as the details of an entry.

Owns: showing the lines, scrolling with keys. Never: the content of the lines.
"""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from approver_tui.widgets.lines import Line, Role, fmt, wrap_text
from approver_tui.widgets.sheet import SCROLLING, Sheet

LineMaker = Callable[[int], list[Line]]
"""Returns the lines for a width."""


class EntrySheet(Sheet, can_focus=True):
    """A sheet that shows the lines of one entry at a time."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(self, make_lines: LineMaker | None = None, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._make_lines = make_lines
        self._key: object = None

    def show(self, make_lines: LineMaker | None, key: object) -> None:
        """Show the lines that `make_lines` returns; redraw only if `key` changed."""
        if key != self._key:
            is_different_entry = _identity(key) != _identity(self._key)
            self._make_lines, self._key = make_lines, key
            if is_different_entry:
                self.scroll_home(animate=False)
            self.relayout()

    def lines_for(self, width: int) -> list[Line]:
        """Return the lines of the details."""
        if self._make_lines is None:
            return wrap_text(fmt("Nothing is selected."), width, Role.DIM)
        return self._make_lines(width)


class PreviewSheet(EntrySheet, can_focus=False):
    """The server's preview of what a proposal would do."""


def _identity(key: object) -> object:
    return key[0] if isinstance(key, tuple) and key else key
