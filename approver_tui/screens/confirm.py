"""The panel that confirms an action, such as revoking or vouching.

Owns: what would happen, the field for the PIN or another value, running the action once. Never:
acting on a single key; the focus starts on Back, and the guard drops early input.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.button_panel import TICK, ButtonPanel
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import CONFIRM_KEYS
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import MIN_PIN_LENGTH
from approver_tui.widgets.line_input import LineInput
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import NoticeLines
from approver_tui.widgets.typed_input import TypedInput


@dataclass(frozen=True, slots=True)
class ConfirmField:
    """A value that the user must enter for an action."""

    label: SafeText
    value: str
    """The initial text."""
    blocker: Callable[[str], SafeText]
    """Returns why the typed text is invalid; empty if it is valid."""
    max_length: int = 128
    is_hidden: bool = False


def _pin_blocker(typed: str) -> SafeText:
    return fmt("type your PIN.") if len(typed) < MIN_PIN_LENGTH else SafeText("")


PIN = ConfirmField(SafeText("PIN"), "", _pin_blocker, is_hidden=True)
"""The PIN field, for actions that give a device more rights."""


@dataclass(frozen=True, slots=True)
class ConfirmAction:
    """An action that the user can confirm."""

    title: SafeText
    verb: SafeText
    """The label of the button."""
    words: tuple[SafeText, ...]
    """The effects, one paragraph each."""
    do: Callable[[str], SafeText]
    """Runs in a thread. Takes the typed text, which may be empty; returns the message."""
    field: ConfirmField | None = None


class ConfirmPanel(ButtonPanel[SafeText | None]):
    """A panel that explains an action and runs it. Its result is the message, or None."""

    HINTS = CONFIRM_KEYS

    def __init__(
        self, context: ScreenContext, action: ConfirmAction, blocker: Callable[[], SafeText]
    ) -> None:
        super().__init__(context)
        self.verb = action.verb
        self._action = action
        self._outside_blocker = blocker
        self._input = _input(action.field)
        self._notice = SafeText("")

    def content(self) -> ComposeResult:
        """Lay out the title, the effects and the field."""
        yield Static(self._action.title, id="headline", markup=False)
        yield Static("\n\n".join(self._action.words), id="words", markup=False)
        if self._action.field is not None and self._input is not None:
            with Horizontal(id="field-row"):
                yield Static(self._action.field.label, markup=False)
                yield self._input
        yield NoticeLines(id="notice")

    def on_mount(self) -> None:
        """Ignore input for a moment, as it was meant for the page below, and start the timer."""
        self.context.guard.arm()
        self.set_interval(TICK, self.draw)
        self.draw()

    def draw_widgets(self) -> None:
        """Update the field and the hint."""
        reason = self.blocker()
        if self._input is not None:
            self._input.disabled = self.is_busy
        self.query_one("#notice", NoticeLines).show_all(self._notice)
        self.draw_button(reason)

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self.draw()

    def submit(self) -> None:
        """Run the action in a thread."""
        entered = self._take_input()
        self.is_busy, self._notice = True, SafeText("")
        self.draw()
        do = partial(self._action.do, entered)
        self.run_in_thread(do, self._done, self._failed, group="action")

    def _done(self, message_text: SafeText) -> None:
        self.context.guard.arm()
        self.dismiss(message_text)

    def _failed(self, error: errors.ClientError) -> None:
        self.is_busy = False
        self._notice = refusals.change_problem(error, done=fmt("Nothing was changed."))
        self.draw()

    def blocker(self) -> SafeText:
        """Return why the button is unavailable; empty if it is available."""
        if reason := super().blocker() or self._outside_blocker():
            return reason
        field, entry = self._action.field, self._input
        return SafeText("") if field is None or entry is None else field.blocker(entry.value)

    def _take_input(self) -> str:
        """Return what was typed; clear the field if it holds a secret."""
        if isinstance(self._input, TypedInput):
            return self._input.take()
        return "" if self._input is None else self._input.value


def _input(field: ConfirmField | None) -> Input | None:
    if field is None:
        return None
    if field.is_hidden:
        return TypedInput(id="pin", is_hidden=True, max_length=field.max_length)
    entry = LineInput(field.value, max_length=field.max_length, compact=True, select_on_focus=False)
    entry.cursor_blink = False
    return entry
