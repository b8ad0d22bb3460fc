"""The controls in which a person says what they wish, and a value among them.

Owns: telling the panel that something else is said now, and whether a value was finished.
Never: what the controls are or say; that is the forms' own.
"""

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.tick import Tick

_LONGEST = 40


class Amount(Horizontal):
    """A value to be written: what was asked, and a field for another."""

    def __init__(self, label: SafeText, asked: SafeText, form: SafeText) -> None:
        super().__init__(classes="amount")
        self._words = say("{}  {}", label, asked)
        self.field = Input(max_length=_LONGEST, compact=True, placeholder=form)
        self.field.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Lay out words and field."""
        yield Static(self._words, markup=False)
        yield self.field

    @property
    def written(self) -> str:
        """What the person wrote; nothing leaves it as it was asked."""
        return self.field.value.strip()


class ChangeForm(VerticalScroll, can_focus=False):
    """Ticks and values, one below the other."""

    class Changed(Message):
        """Another wish may be said now. `is_done` when a value was finished, not just typed."""

        def __init__(self, *, is_done: bool) -> None:
            super().__init__()
            self.is_done = is_done

    def on_tick_turned(self, event: Tick.Turned) -> None:
        """A tick says all there is to say."""
        event.stop()
        self.post_message(self.Changed(is_done=True))

    def on_input_changed(self, event: Input.Changed) -> None:
        """A value is on its way."""
        event.stop()
        self.post_message(self.Changed(is_done=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter finishes a value."""
        event.stop()
        self.post_message(self.Changed(is_done=True))

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """So does leaving the field."""
        event.stop()
        self.post_message(self.Changed(is_done=True))
