"""A screen that is drawn only while all of its widgets are mounted.

Owns: tracking whether they are mounted; clicks that count as keys; calls in threads. Never:
drawing, which the subclass's `draw_widgets` does.

A pushed screen is on Textual's stack before its widgets are mounted, and while they are removed,
innermost first. The app may end at any time in between. All this time, the feed, timers, threads
and other screens can call the screen.
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
    """The base of every screen. Only `draw_widgets` and its callees may rely on widgets."""

    _is_composed = False

    async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
        """Mount all widgets, and record that they are mounted.

        The classes for the screen's size are set first, so that widgets are styled only once.
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
            matching = [name for minimum, name in points if minimum <= length]
            yield from matching[-1:]

    @property
    def is_ready(self) -> bool:
        """Whether every widget is mounted: from the end of composition until removal starts.

        If a screen opens after the app was told to exit, Textual composes it but does not mount
        its widgets. On removal, Textual first stops displaying the screen, then stops running it,
        then removes its widgets. A screen that is removed before it is composed gets no widgets.
        """
        is_mounted = self._is_composed and self.is_running and self.display
        return is_mounted and self.app.return_code is None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable all keys while the screen is not fully mounted."""
        return self.is_ready and super().check_action(action, parameters)

    def show_from_top(self, scrolled: Widget) -> None:
        """Scroll to the top, then down only as far as needed to show the focus.

        On its own, Textual scrolls to the focus before the first draw hides unused rows, and then
        keeps that scroll position.
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
        """Run `work` in a thread, then `done` or `failed` on the screen unless canceled."""

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
        """Say which key quits; does nothing on screens without a status line."""

    def draw(self) -> None:
        """Update all widgets, if they are mounted."""
        if self.is_ready:
            self.draw_widgets()

    def draw_widgets(self) -> None:
        """Update all widgets; subclasses implement it."""
