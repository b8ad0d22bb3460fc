"""The preview of a standing grant, as the server words it.

Owns: drawing the preview. Never: making or checking one.
"""

from collections.abc import Callable
from datetime import tzinfo

from approver_tui.state.standing_grants.standing_grants import GrantPreview
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import Line, Role, fmt, wrapped
from approver_tui.widgets.sheet import Sheet
from approver_tui.widgets.standing_grants.standing_grants import preview_lines


class GrantPreviewSheet(Sheet, can_focus=False):
    """The limits and the recent requests, or a sentence if there is nothing to show."""

    def __init__(self, now: Callable[[], int], zone: tzinfo | None) -> None:
        super().__init__(id="grant-preview")
        self._now = now
        self._zone = zone
        self._preview: GrantPreview | None = None

    def show(self, preview: GrantPreview | None) -> None:
        """Draw the preview, or words instead."""
        if preview != self._preview:
            self._preview = preview
            self.relayout()

    def lines_for(self, width: int) -> list[Line]:
        """Return the preview, or what to do."""
        if self._preview is None:
            words = fmt("Enter a duration and max uses. What it would cover is shown here.")
            return wrapped(words, width, Role.DIM)
        return preview_lines(self._preview, RenderContext(self._now(), self._zone, width))
