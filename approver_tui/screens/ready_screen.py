"""A screen that is drawn only while all of its widgets are there.

Owns: telling whether they are. Textual knows a screen from the moment in which it is pushed, mounts
its widgets later and takes them away, the innermost first, before it forgets the screen; and when
the app ends it may do so in the middle. Feed, timers, threads and other screens know nothing of
that and speak to it all the while. Never: what is drawn; that is the subclass's `draw_widgets`.
"""

from textual.screen import Screen, ScreenResultType
from textual.widget import Widget


class ReadyScreen(Screen[ScreenResultType]):
    """The base of every screen. Only `draw_widgets`, and what runs in it, may count on widgets."""

    _is_composed = False

    async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
        """Note that all widgets, and those inside them, are mounted."""
        await super().mount_composed_widgets(widgets)
        self._is_composed = True

    @property
    def is_ready(self) -> bool:
        """Whether every widget is there: not before composition, not from removal on.

        A screen that opens once the app was told to end is composed, and its widgets are not.
        Textual stops displaying a screen as soon as it means to remove it, and stops running it
        before its widgets go. A screen that was to be removed before it was composed gets none.
        """
        is_there = self._is_composed and self.is_running and self.display
        return is_there and self.app.return_code is None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let no key do anything to a screen that nobody sees whole."""
        return self.is_ready and super().check_action(action, parameters)

    def show_from_top(self, scrolled: Widget) -> None:
        """Begin at the top of what scrolls, and go on only as far as the focus needs.

        Textual scrolls to the focus before the first drawing has taken away the rows that are not
        due, and leaves it there.
        """
        scrolled.scroll_home(animate=False)
        self.call_after_refresh(self.show_focus)

    def show_focus(self) -> None:
        """Bring what has the focus into sight."""
        if self.focused is not None and not self.can_view_entire(self.focused):
            self.focused.scroll_visible(animate=False)

    def draw(self) -> None:
        """Bring every widget up to date, if they are there."""
        if self.is_ready:
            self.draw_widgets()

    def draw_widgets(self) -> None:
        """Bring every widget up to date; the subclass's duty where anything changes."""
