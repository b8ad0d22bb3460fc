"""The right half of a wide screen; the mouse can drag its left border.

Owns: the width of the list on its left, while the screen is wide. Never: the content of
the pane.
"""

from textual import events
from textual.containers import Vertical
from textual.widget import Widget

_MIN_PERCENT, _MAX_PERCENT = 20, 70
"""The minimum and maximum width of the list, in percent of the screen."""


class ReadingPane(Vertical):
    """The pane to the right of a list."""

    @property
    def _list(self) -> Widget:
        assert isinstance(self.parent, Widget)  # noqa: S101  # a pane is never the screen itself
        return next(widget for widget in self.parent.children if widget is not self)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Start dragging if the mouse is on the border."""
        if event.screen_x == self.region.x:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Resize the list while the border is dragged."""
        if self.app.mouse_captured is self:
            percent = round(100 * event.screen_x / self.screen.size.width)
            self._list.styles.width = f"{min(max(percent, _MIN_PERCENT), _MAX_PERCENT)}%"

    def on_mouse_up(self) -> None:
        """Stop dragging."""
        self.release_mouse()

    def on_hide(self) -> None:
        """Reset the list's width, because on a narrow screen the list fills the width."""
        self._list.styles.clear_rule("width")
