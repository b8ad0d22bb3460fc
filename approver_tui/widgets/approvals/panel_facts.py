"""The details in the panel that approves, and whether all of them were on the screen.

Owns: the last row that was visible. Never: forgetting it when the user scrolls back.
"""

from datetime import tzinfo

from textual import events
from textual.geometry import Size

from approver_tui.state.approvals.approvals import Approval
from approver_tui.widgets.approvals.facts import panel_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import Line
from approver_tui.widgets.sheet import ReadSheet


class PanelFacts(ReadSheet, can_focus=False):
    """A sheet that tracks how far it was read."""

    def __init__(self, approval: Approval, zone: tzinfo | None) -> None:
        super().__init__()
        self._approval = approval
        self._zone = zone
        self._lines_read = 0

    def lines_for(self, width: int) -> list[Line]:
        """Return the main facts."""
        return panel_lines(
            self._approval, RenderContext(self._approval.created_at, self._zone, width)
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows the facts need, so that the panel is no taller than necessary."""
        del container, viewport
        return len(self.lines_for(max(2, width - self.scrollbar_size_vertical)))

    @property
    def is_fully_read(self) -> bool:
        """Whether the last line, and so every line above it, was on the screen."""
        self._lines_read = max(self._lines_read, self.last_visible_row)
        return 0 < len(self._lines) <= self._lines_read

    def on_resize(self, _event: events.Resize) -> None:
        """Forget which rows were seen, because another width wraps them differently.

        Textual calls the base class's handler after this one.
        """
        if self._text_width != self._laid_out_for:
            self._lines_read = 0
