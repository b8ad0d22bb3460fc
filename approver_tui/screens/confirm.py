"""The panel that confirms an action, such as revoking or vouching.

Owns: what would happen, the PIN or another field, doing it once. Never: a single key that does it;
the focus starts on Back, and input before the guard lets it through does not count.
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
from approver_tui.messages import KeyWanted
from approver_tui.screens import refusals, thread_messages
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.keys import confirm_keys
from approver_tui.screens.panel import TICK
from approver_tui.screens.safe_focus import SafeFocusScreen
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import SHORTEST_PIN
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.notice_lines import NoticeLines
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.typed_input import TypedInput


@dataclass(frozen=True, slots=True)
class ConfirmField:
    """A field that an action needs."""

    label: SafeText
    value: str
    """The initial text."""
    why_not: Callable[[str], SafeText]
    """Returns why the typed text is invalid, or an empty text."""
    longest: int = 128
    is_hidden: bool = False


def _why_no_pin(typed: str) -> SafeText:
    return say("type your PIN.") if len(typed) < SHORTEST_PIN else SafeText("")


PIN = ConfirmField(SafeText("PIN"), "", _why_no_pin, is_hidden=True)
"""The PIN, for actions that add power."""


@dataclass(frozen=True, slots=True)
class ConfirmAction:
    """An action that the user can confirm."""

    title: SafeText
    verb: SafeText
    """The label of the button."""
    words: tuple[SafeText, ...]
    """What would happen, one paragraph each."""
    do: Callable[[str], SafeText]
    """Runs in a thread with the typed text, if any; returns the message."""
    field: ConfirmField | None = None


class _Done(thread_messages.ValueMessage[SafeText]):
    """The action succeeded."""


class _NotDone(thread_messages.ValueMessage[errors.ClientError]):
    """The action failed."""


class ConfirmPanel(ModalScreen[SafeText | None], SafeFocusScreen[SafeText | None]):
    """Text, a field, Back, the button. Its result is the message, or None."""

    AUTO_FOCUS = "#back"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    def __init__(
        self, context: ScreenContext, action: ConfirmAction, why_not_now: Callable[[], SafeText]
    ) -> None:
        super().__init__()
        self.context = context
        self._deed = action
        self._why_not_now = why_not_now
        self._entry = _entry(action.field)
        self._is_busy = False
        self._notice = SafeText("")

    def compose(self) -> ComposeResult:
        """Lay out title, text, field, buttons and keys."""
        with Vertical(classes="panel"):
            yield Static(self._deed.title, id="headline", markup=False)
            yield Static("\n\n".join(self._deed.words), id="words", markup=False)
            if self._deed.field is not None and self._entry is not None:
                with Horizontal(id="field-row"):
                    yield Static(self._deed.field.label, markup=False)
                    yield self._entry
            yield NoticeLines(id="notice")
            with Horizontal(id="buttons"):
                yield PanelButton(say("Back"), id="back")
                yield PanelButton(self._deed.verb, id="do")
            yield Static(id="why-off", markup=False)
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
        reason = self._why_off()
        if self._entry is not None:
            self._entry.disabled = self._is_busy
        self.query_one("#notice", NoticeLines).show((self._notice,) if self._notice else ())
        self.query_one("#why-off", Static).update(button_hint(self._deed.verb, reason))
        button = self.query_one("#do", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    def on_key_wanted(self, message: KeyWanted) -> None:
        """A clicked key counts as that key."""
        self.app.simulate_key(message.key)

    def action_back(self) -> None:
        """Go back, unless the action is running."""
        if not self._is_busy:
            self.dismiss(None)

    @on(Input.Changed)
    def _something_changed(self) -> None:
        self.draw()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#do")
    def _do(self) -> None:
        if self.context.guard.is_holding or self._why_off():
            return
        written = self._written()
        self._is_busy, self._notice = True, SafeText("")
        self.draw()
        self.run_worker(lambda: self._done_in_thread(written), thread=True, group="deed")

    @on(_Done)
    def _done(self, message: _Done) -> None:
        self.context.guard.arm()
        self.dismiss(message.value)

    @on(_NotDone)
    def _not_done(self, message: _NotDone) -> None:
        self._is_busy = False
        self._notice = refusals.change_problem(message.value, done=say("Nothing was changed."))
        self.draw()

    def _why_off(self) -> SafeText:
        if self._is_busy:
            return say("Sending…")
        if reason := self._why_not_now():
            return reason
        field, entry = self._deed.field, self._entry
        return SafeText("") if field is None or entry is None else field.why_not(entry.value)

    def _written(self) -> str:
        """Return what was typed; a secret is cleared from its field."""
        if isinstance(self._entry, TypedInput):
            return self._entry.take()
        return "" if self._entry is None else self._entry.value

    def _done_in_thread(self, written: str) -> None:
        try:
            done = self._deed.do(written)
        except errors.ClientError as error:
            self.post_message(_NotDone(error))
        else:
            self.post_message(_Done(done))


def _entry(field: ConfirmField | None) -> Input | None:
    if field is None:
        return None
    if field.is_hidden:
        return TypedInput(id="pin", is_hidden=True, longest=field.longest)
    entry = Input(field.value, max_length=field.longest, compact=True, select_on_focus=False)
    entry.cursor_blink = False
    return entry
