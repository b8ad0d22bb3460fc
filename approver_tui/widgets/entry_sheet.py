"""One entry in full.

Owns: showing the lines that a page makes for it, scrolling by keys. Never: their content.
"""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from approver_tui.widgets.lines import Line, Role, fmt, wrapped
from approver_tui.widgets.sheet import SCROLLING, Sheet

LineMaker = Callable[[int], list[Line]]
"""Makes the lines for a width."""


class EntrySheet(Sheet, can_focus=True):
    """The right-hand side of a page; the whole screen where that is narrow."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._make_lines: LineMaker | None = None
        self._key: object = None

    def show(self, make_lines: LineMaker | None, key: object) -> None:
        """Show what `make_lines` makes; redraws only if `key` changed."""
        if key != self._key:
            is_other = _identity(key) != _identity(self._key)
            self._make_lines, self._key = make_lines, key
            if is_other:
                self.scroll_home(animate=False)
            self.relayout()

    def lines_for(self, width: int) -> list[Line]:
        """Return the lines."""
        if self._make_lines is None:
            return wrapped(fmt("Nothing is selected."), width, Role.DIM)
        return self._make_lines(width)


class PreviewSheet(EntrySheet, can_focus=False):
    """What a proposal would have for a result, as the server words it."""


def _identity(key: object) -> object:
    return key[0] if isinstance(key, tuple) and key else key
