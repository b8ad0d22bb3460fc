"""The panel that confirms an action, such as revoking or vouching.

Owns: what would happen, the PIN or another field, doing it once. Never: acting on a single key; the
focus starts on Back, and input before the guard lets it through does not count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from approver_tui.client import errors
from approver_tui.messages import KeyClicked
from approver_tui.screens import refusals, thread_messages
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.keys import confirm_keys
from approver_tui.screens.panel import TICK
from approver_tui.screens.safe_focus import SafeFocusScreen
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import MIN_PIN_LENGTH
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.typed_input import TypedInput


@dataclass(frozen=True, slots=True)
class ConfirmField:
    """A field that an action needs."""

    label: SafeText
    value: str
    """The initial text."""
    blocker: Callable[[str], SafeText]
    """Returns why the typed text is invalid, or an empty text."""
    longest: int = 128
    is_hidden: bool = False


def _pin_blocker(typed: str) -> SafeText:
    return fmt("type your PIN.") if len(typed) < MIN_PIN_LENGTH else SafeText("")


PIN = ConfirmField(SafeText("PIN"), "", _pin_blocker, is_hidden=True)
"""The PIN, for actions that add power."""


@dataclass(frozen=True, slots=True)
class ConfirmAction:
    """An action that the user can confirm."""

    title: SafeText
    verb: SafeText
    """The label of the button."""
    words: tuple[SafeText, ...]
    """The effects, one paragraph each."""
    do: Callable[[str], SafeText]
    """Runs in a thread with the typed text, if any; returns the message."""
    field: ConfirmField | None = None


class _Done(thread_messages.ValueMessage[SafeText]):
    """The action succeeded."""


class _Failed(thread_messages.ValueMessage[errors.ClientError]):
    """The action failed."""


class ConfirmPanel(ModalScreen[SafeText | None], SafeFocusScreen[SafeText | None]):
    """Text, a field, Back, the button. Its result is the message, or None."""

    AUTO_FOCUS = "#back"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    def __init__(
        self, context: ScreenContext, action: ConfirmAction, blocker: Callable[[], SafeText]
    ) -> None:
        super().__init__()
        self.context = context
        self._action = action
        self._outside_blocker = blocker
        self._input = _input(action.field)
        self._is_busy = False
        self._notice = SafeText("")

    def compose(self) -> ComposeResult:
        """Lay out title, text, field, buttons and keys."""
        with Vertical(classes="panel"):
            yield Static(self._action.title, id="headline", markup=False)
            yield Static("\n\n".join(self._action.words), id="words", markup=False)
            if self._action.field is not None and self._input is not None:
                with Horizontal(id="field-row"):
                    yield Static(self._action.field.label, markup=False)
                    yield self._input
            yield NoticeLines(id="notice")
            with Horizontal(id="buttons"):
                yield PanelButton(fmt("Back"), id="back")
                yield PanelButton(self._action.verb, id="do")
            yield CachedLine(id="hint")
            yield KeyBar(confirm_keys())

    def on_mount(self) -> None:
        """Ignore input for a moment, because it was meant for the page below."""
        self.context.guard.arm()
        self.set_interval(TICK, self.draw)
        self.draw()

    def input_guard(self) -> InputGuard:
        """Return the guard of the app."""
        return self.context.guard

    @property
    def focus_chain(self) -> list[Widget]:
        """Back, the field, the button: Tab does not pass Back again."""
        order = ("#back", "#field-row Input", "#do") if self.is_ready else ()
        return [widget for name in order for widget in self.query(name) if widget.focusable]

    def draw_widgets(self) -> None:
        """Update fields and hint."""
        reason = self._blocker()
        if self._input is not None:
            self._input.disabled = self._is_busy
        self.query_one("#notice", NoticeLines).show((self._notice,) if self._notice else ())
        self.query_one("#hint", CachedLine).show(button_hint(self._action.verb, reason))
        button = self.query_one("#do", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    def on_key_clicked(self, message: KeyClicked) -> None:
        """A clicked key counts as that key."""
        self.app.simulate_key(message.key)

    def action_back(self) -> None:
        """Go back, unless the action is running."""
        if not self._is_busy:
            self.dismiss(None)

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self.draw()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#do")
    def _run(self) -> None:
        if self.context.guard.is_blocking or self._blocker():
            return
        entered = self._take_input()
        self._is_busy, self._notice = True, SafeText("")
        self.draw()
        self.run_worker(lambda: self._run_action(entered), thread=True, group="action")

    @on(_Done)
    def _done(self, message: _Done) -> None:
        self.context.guard.arm()
        self.dismiss(message.value)

    @on(_Failed)
    def _failed(self, message: _Failed) -> None:
        self._is_busy = False
        self._notice = refusals.change_problem(message.value, done=fmt("Nothing was changed."))
        self.draw()

    def _blocker(self) -> SafeText:
        if self._is_busy:
            return fmt("Sending…")
        if reason := self._outside_blocker():
            return reason
        field, entry = self._action.field, self._input
        return SafeText("") if field is None or entry is None else field.blocker(entry.value)

    def _take_input(self) -> str:
        """Return what was typed; a secret is cleared from its field."""
        if isinstance(self._input, TypedInput):
            return self._input.take()
        return "" if self._input is None else self._input.value

    def _run_action(self, entered: str) -> None:
        try:
            done = self._action.do(entered)
        except errors.ClientError as error:
            self.post_message(_Failed(error))
        else:
            self.post_message(_Done(done))


def _input(field: ConfirmField | None) -> Input | None:
    if field is None:
        return None
    if field.is_hidden:
        return TypedInput(id="pin", is_hidden=True, longest=field.longest)
    entry = Input(field.value, max_length=field.longest, compact=True, select_on_focus=False)
    entry.cursor_blink = False
    return entry
