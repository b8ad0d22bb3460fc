"""The base of both apps: guarded input, themes, clicks on the keys in the key bar.

Owns: passing each input through the input guard and the input order. Never: the behavior of a
screen.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, ReturnType
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter, NoColor

from approver_tui.screens import termination
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.input_order import InputOrder
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.screens.safe_focus import reset_panels
from approver_tui.state.color_overrides import NO_OVERRIDES
from approver_tui.widgets.note_input import NoteInput
from approver_tui.widgets.theme import DEFAULTS, SAYSO, SIXTEEN_COLORS, THEMES, recolored

_ORDERED_EVENTS = (
    events.Key,
    events.Paste,
    events.MouseDown,
    events.MouseUp,
    events.AppBlur,
    events.AppFocus,
)
_CHECK_TERMINAL_SECONDS = 0.5
_NO_COLORS: Sequence[LineFilter] = (NoColor(),)


class GuardedApp(App[ReturnType]):
    """An app that passes every input through the guard."""

    TITLE = "Sayso"
    CSS_PATH = Path(__file__).parent.parent / "approver.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (78, "-wide")]  # noqa: RUF012  # Textual's declaration
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall"), (45, "-high")]  # noqa: RUF012  # Textual's declaration
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(
        self,
        guard: InputGuard,
        theme: str,
        *,
        colors: Mapping[str, str] = NO_OVERRIDES,
        is_motion_reduced: bool = False,
    ) -> None:
        super().__init__()
        if is_motion_reduced:
            self.animation_level = "none"
        self.guard = guard
        self._has_lent_terminal = False
        self._order = InputOrder(self)
        for available_theme in THEMES:
            self.register_theme(recolored(available_theme, colors))
        self.register_theme(SIXTEEN_COLORS)
        self.theme = theme

    def run(self, **options: Any) -> ReturnType | None:  # noqa: ANN401  # Textual's parameters
        """Run the app; if it crashes, exit with its code, so that its error stays visible."""
        result = super().run(**options)
        if self.return_code:
            sys.exit(self.return_code)
        return result

    def _fatal_error(self) -> None:
        """Print an error without local variables, because one of them may be the PIN."""
        from rich.traceback import Traceback  # noqa: PLC0415  # slow to import, and rarely used

        self.bell()
        self.panic(Traceback())

    def validate_theme(self, name: str) -> str:
        """Return the theme to use; the default theme has a variant for 16-color terminals."""
        is_limited = name == SAYSO.name and self.console.color_system == "standard"
        return SIXTEEN_COLORS.name if is_limited else name

    def get_driver_class(self) -> type[Driver]:
        """Return a driver that survives a closed terminal."""
        return termination.tolerate_closed_terminal(super().get_driver_class())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the variables that Textual's themes lack."""
        return DEFAULTS

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the line filters; with NO_COLOR remove grays too, which Textual would keep."""
        return _NO_COLORS if self.no_color else super().get_line_filters()

    def on_mount(self) -> None:
        """Secure the panels after each suspension, and handle termination."""
        if not self.is_headless:
            check_terminal = termination.on_termination(self.terminate)
            self.set_interval(_CHECK_TERMINAL_SECONDS, check_terminal)
        self.app_resume_signal.subscribe(self, lambda _app: self._secure_panels())

    def action_suspend_process(self) -> None:
        """Suspend to the shell, after clearing secrets so that none stays in a field."""
        self._secure_panels()
        super().action_suspend_process()

    async def on_event(self, event: events.Event) -> None:
        """Pass every input through the guard before Textual handles it.

        Within this call, Textual restores the app's focus on the first key or press after a blur.
        A later check would therefore let that input through.
        """
        if _is_ordered(event) and self._order.defers(event):
            return
        if isinstance(event, events.AppBlur):
            self.guard.window_blurred()
            reset_panels(self, clear_secrets=False)
        elif isinstance(event, events.AppFocus):
            self._window_focused()
        elif _is_input(event) and self._is_dropped(event):
            return
        await super().on_event(event)

    def simulate_key(self, key: str) -> None:
        """Press a key for a click; send it from the app, not from the screen.

        A message stops bubbling at its sender, but keys must reach the app.
        """
        self.call_later(super().simulate_key, key)

    @on(NoteInput.EditorRequested)
    def _open_editor(self, message: NoteInput.EditorRequested) -> None:
        """Hand the terminal to the user's editor; the app keeps running without it."""
        self._has_lent_terminal = True
        self.run_worker(self._edit(message.note), group="editor")

    async def _edit(self, note: NoteInput) -> None:
        with self.suspend():
            await note.edit()
        self._has_lent_terminal = False

    def action_help_quit(self) -> None:
        """Say which key quits, on the screen, because Textual's toast would cover the key bar."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, ReadyScreen):
                screen.explain_quitting()
                return

    def terminate(self) -> None:
        """Exit, because the terminal was closed or the system asked the program to end."""
        self.exit()

    def before_input(self) -> None:
        """Hook that runs before an input is checked; pending changes may arm the guard."""

    def after_input(self) -> None:
        """Hook that runs after an input was let through, which shows that the user is present."""

    def _secure_panels(self) -> None:
        self.guard.arm()
        reset_panels(self, clear_secrets=True)

    def _window_focused(self) -> None:
        reset_panels(self, clear_secrets=self.guard.is_user_away)
        self.guard.window_focused()

    def _is_dropped(self, event: events.Event) -> bool:
        if not self.app_focus and isinstance(event, (events.Key, events.MouseDown)):
            self.app_focus = True
            self._window_focused()
        self.before_input()
        if self._has_lent_terminal or self.guard.drops(event):
            return True
        self.after_input()
        return False


def _is_input(event: events.Event) -> bool:
    return isinstance(event, (events.InputEvent, events.Paste)) and not event.is_forwarded


def _is_ordered(event: events.Event) -> bool:
    """Whether this input must be handled in order, as all but mouse moves and scrolling must."""
    return isinstance(event, _ORDERED_EVENTS) and not event.is_forwarded
