"""The preview of a narrowed request, as the server words it.

Owns: drawing the preview. Never: making or checking one.
"""

from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.differences import difference_lines
from approver_tui.widgets.lines import Line, Role, wrapped
from approver_tui.widgets.sheet import Sheet


class NarrowPreview(Sheet, can_focus=False):
    """Two columns, or a sentence if there is nothing to compare."""

    def __init__(self) -> None:
        super().__init__(id="narrow-preview")
        self._granted: Granted | None = None
        self._words = SafeText("")

    def show(self, granted: Granted | None, words: SafeText) -> None:
        """Draw the preview, or these words instead."""
        if (granted, words) != (self._granted, self._words):
            self._granted, self._words = granted, words
            self.relayout()

    def lines_for(self, width: int) -> list[Line]:
        """Return both columns, or the words."""
        if self._granted is None:
            return wrapped(self._words, width, Role.DIM)
        return difference_lines(self._granted.differences, width)
