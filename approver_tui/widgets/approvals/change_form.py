"""Base of the forms in which the user composes a proposal.

Owns: telling the panel that the proposal changed, and whether a value is complete. Never: the
controls themselves; the subclasses have them.
"""

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from approver_tui.state.text import SafeText
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.lines import fmt

_LONGEST = 40


class AmountField(Input):
    """A field whose value counts once Enter or Tab completes it."""

    enter_label = SafeText("Preview")


class Amount(Horizontal):
    """A value to enter: the requested one, and a field for another."""

    def __init__(self, label: SafeText, asked: SafeText, form: SafeText) -> None:
        super().__init__(classes="amount")
        self._words = fmt("{}  {}", label, asked)
        self.field = AmountField(max_length=_LONGEST, compact=True, placeholder=form)
        self.field.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Lay out label and field."""
        yield Static(self._words, markup=False)
        yield self.field

    @property
    def typed(self) -> str:
        """The text that the user entered; empty keeps the requested value."""
        return self.field.value.strip()


class ChangeForm(VerticalScroll, can_focus=False):
    """Checkboxes and values, one below the other."""

    class Changed(Message):
        """The proposal may have changed. `is_done` if a value was completed, not just typed."""

        def __init__(self, *, is_done: bool) -> None:
            super().__init__()
            self.is_done = is_done

    def on_check_line_toggled(self, event: CheckLine.Toggled) -> None:
        """A checkbox changed; that is complete at once."""
        event.stop()
        self.post_message(self.Changed(is_done=True))

    def on_input_changed(self, event: Input.Changed) -> None:
        """A value is being typed."""
        event.stop()
        self.post_message(self.Changed(is_done=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter completes a value."""
        event.stop()
        self.post_message(self.Changed(is_done=True))

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """Leaving the field completes the value."""
        event.stop()
        self.post_message(self.Changed(is_done=True))
