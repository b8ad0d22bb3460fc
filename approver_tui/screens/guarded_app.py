"""What both apps are: guarded input, our colours, keys that a click stands for.

Owns: the place of the input guard, and of the order of inputs, in the event loop. Never: what a
screen does.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import App, ReturnType
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter, NoColor

from approver_tui.screens import termination
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.input_order import InputOrder
from approver_tui.screens.safe_focus import focus_back
from approver_tui.widgets.theme import DEFAULTS, HIGH_CONTRAST, SAYSO

_ORDERED = (
    events.Key,
    events.Paste,
    events.MouseDown,
    events.MouseUp,
    events.AppBlur,
    events.AppFocus,
)
_WITHOUT_COLOURS: Sequence[LineFilter] = (NoColor(),)


class GuardedApp(App[ReturnType]):
    """An app that asks the guard about every input."""

    TITLE = "Sayso"
    CSS_PATH = Path(__file__).parent.parent / "approver.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-wide")]  # noqa: RUF012  # Textual's declaration
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  # Textual's declaration
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, guard: InputGuard, theme: str, *, is_still: bool = False) -> None:
        super().__init__()
        if is_still:
            self.animation_level = "none"
        self.guard = guard
        self._order = InputOrder(self)
        for each in (SAYSO, HIGH_CONTRAST):
            self.register_theme(each)
        self.theme = theme

    def get_driver_class(self) -> type[Driver]:
        """Return what draws; a terminal that is closed does not hold it up."""
        return termination.tolerate_closed_terminal(super().get_driver_class())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return what a theme of Textual's does not have."""
        return DEFAULTS

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is done to each line; with NO_COLOR, Textual alone would leave greys."""
        return _WITHOUT_COLOURS if self.no_color else super().get_line_filters()

    def on_mount(self) -> None:
        """After a suspension whatever is typed was meant for the shell; an end comes any time."""
        if not self.is_headless:
            termination.on_termination(self.end)
        self.app_resume_signal.subscribe(self, lambda _app: self._put_down())

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell; no secret stays in the memory of what sleeps."""
        self._put_down()
        super().action_suspend_process()

    async def on_event(self, event: events.Event) -> None:
        """Ask the guard about every input, before Textual acts on it.

        Textual gives the app its focus back inside this very call for the first key or press
        after a blur, so a guard that looked later would already let that one through.
        """
        if _is_ordered(event) and self._order.holds_back(event):
            return
        if isinstance(event, events.AppBlur):
            self.guard.leave()
            focus_back(self, forgetting=False)
        elif isinstance(event, events.AppFocus):
            self._come_back()
        elif _is_input(event) and self._is_dropped(event):
            return
        await super().on_event(event)

    def simulate_key(self, key: str) -> None:
        """Press a key for a click, out of the hands of the screen that asks for it.

        A message stops where its sender stands, and keys have to come up as far as the app.
        """
        self.call_later(super().simulate_key, key)

    def end(self) -> None:
        """Leave, because the terminal or the machine goes away."""
        self.exit()

    def about_to_hear(self) -> None:
        """An input came: whatever would arm the guard and was not looked at yet, is now."""

    def heard(self) -> None:
        """The person is there: an input was let through."""

    def _put_down(self) -> None:
        self.guard.arm()
        focus_back(self, forgetting=True)

    def _come_back(self) -> None:
        focus_back(self, forgetting=self.guard.is_deserted)
        self.guard.come_back()

    def _is_dropped(self, event: events.Event) -> bool:
        if not self.app_focus and isinstance(event, (events.Key, events.MouseDown)):
            self.app_focus = True
            self._come_back()
        self.about_to_hear()
        if self.guard.drops(event):
            return True
        self.heard()
        return False


def _is_input(event: events.Event) -> bool:
    return isinstance(event, (events.InputEvent, events.Paste)) and not event.is_forwarded


def _is_ordered(event: events.Event) -> bool:
    """Tell whether this waits for its turn; moving and scrolling move no focus, and are many."""
    return isinstance(event, _ORDERED) and not event.is_forwarded
