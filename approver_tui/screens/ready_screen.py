"""A screen that is drawn only while all of its widgets are mounted.

Owns: tracking whether they are; clicks that count as keys; calls in threads. Never: what is drawn;
the subclass's `draw_widgets` does that.

Textual knows a screen from the moment it is pushed, mounts its widgets later and removes them, the
innermost first, before it forgets the screen; when the app ends, it may do so in the middle. Feed,
timers, threads and other screens call the screen all the while.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from textual import events, on
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget
from textual.worker import get_current_worker

from approver_tui.client.errors import ClientError
from approver_tui.messages import KeyClicked

_Result = TypeVar("_Result")


class ReadyScreen(Screen[ScreenResultType]):
    """The base of every screen. Only `draw_widgets` and what it calls may rely on widgets."""

    _is_composed = False

    async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
        """Note that all widgets, and those inside them, are mounted.

        The classes for the screen's size are set before, so that widgets need their styles once.
        """
        self.add_class(*self._size_classes())
        await super().mount_composed_widgets(widgets)
        self._is_composed = True

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep Textual from styling all widgets a second time when a screen opens."""
        event.refresh_styles = self.stack_updates > 0

    def _size_classes(self) -> Iterator[str]:
        app = self.app
        widths = self.HORIZONTAL_BREAKPOINTS or app.HORIZONTAL_BREAKPOINTS or ()
        heights = self.VERTICAL_BREAKPOINTS or app.VERTICAL_BREAKPOINTS or ()
        for length, points in ((app.size.width, widths), (app.size.height, heights)):
            fitting = [name for least, name in points if least <= length]
            yield from fitting[-1:]

    @property
    def is_ready(self) -> bool:
        """Whether every widget is mounted: not before composition, not from removal on.

        A screen that opens after the app was told to exit is composed, but its widgets are not
        mounted. Textual stops displaying a screen when it decides to remove it, and stops running
        it before its widgets go. A screen that is removed before it was composed gets no widgets.
        """
        is_there = self._is_composed and self.is_running and self.display
        return is_there and self.app.return_code is None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable all keys while the screen is not fully mounted."""
        return self.is_ready and super().check_action(action, parameters)

    def show_from_top(self, scrolled: Widget) -> None:
        """Scroll to the top, and down only as far as the focus needs.

        Textual scrolls to the focus before the first draw has hidden unused rows, and leaves it
        there.
        """
        scrolled.scroll_home(animate=False)
        self.call_after_refresh(self.show_focus)

    def show_focus(self) -> None:
        """Scroll the focused widget into view."""
        if self.focused is not None and not self.can_view_entire(self.focused):
            self.focused.scroll_visible(animate=False)

    def run_in_thread(
        self,
        work: Callable[[], _Result],
        done: Callable[[_Result], object],
        failed: Callable[[ClientError], object],
        *,
        group: str,
        exclusive: bool = False,
    ) -> None:
        """Run `work` in a thread, then `done` or `failed` here; not if it was canceled."""

        def run() -> None:
            try:
                result = work()
            except ClientError as error:
                self._call_unless_canceled(failed, error)
            else:
                self._call_unless_canceled(done, result)

        self.run_worker(run, thread=True, group=group, exclusive=exclusive)

    def _call_unless_canceled(self, call: Callable[[_Result], object], value: _Result) -> None:
        if not get_current_worker().is_cancelled:
            self.call_later(call, value)

    @on(KeyClicked)
    def _key_clicked(self, message: KeyClicked) -> None:
        self.app.simulate_key(message.key)

    def explain_quitting(self) -> None:
        """Say which key quits; a screen without a place for that says nothing."""

    def draw(self) -> None:
        """Update every widget, if they are mounted."""
        if self.is_ready:
            self.draw_widgets()

    def draw_widgets(self) -> None:
        """Update every widget; subclasses implement it."""
