"""The right half of a wide screen, whose left border the mouse can drag.

Owns: the width of the list beside it, for as long as the screen is wide. Never: its content.
"""

from textual import events
from textual.containers import Vertical
from textual.widget import Widget

_SMALLEST, _LARGEST = 20, 70
"""The limits of the list's width, in percent of the screen."""


class ReadingPane(Vertical):
    """What is beside a list."""

    @property
    def _list(self) -> Widget:
        assert isinstance(self.parent, Widget)  # noqa: S101  # a pane is never the screen itself
        return next(widget for widget in self.parent.children if widget is not self)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag at the border."""
        if event.screen_x == self.region.x:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse."""
        if self.app.mouse_captured is self:
            percent = round(100 * event.screen_x / self.screen.size.width)
            self._list.styles.width = f"{min(max(percent, _SMALLEST), _LARGEST)}%"

    def on_mouse_up(self) -> None:
        """End the drag."""
        self.release_mouse()

    def on_hide(self) -> None:
        """The screen became narrow: the list fills it."""
        self._list.styles.clear_rule("width")
