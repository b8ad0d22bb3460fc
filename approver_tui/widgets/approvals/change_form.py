"""The base of the forms in which the user edits a proposal.

Owns: reporting that the proposal changed, and whether a value is complete. Never: the controls,
which the subclasses define.
"""

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from approver_tui.state.text import SafeText
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.lines import fmt

_MAX_VALUE_LENGTH = 40


class AmountField(Input):
    """A field whose value counts only after Enter or Tab completes it."""

    enter_label = SafeText("Preview")


class Amount(Horizontal):
    """The requested value, and a field for a different one."""

    def __init__(self, label: SafeText, requested: SafeText, form: SafeText) -> None:
        super().__init__(classes="amount")
        self._label_text = fmt("{}  {}", label, requested)
        self.field = AmountField(max_length=_MAX_VALUE_LENGTH, compact=True, placeholder=form)
        self.field.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Lay out the label and the field."""
        yield Static(self._label_text, markup=False)
        yield self.field

    @property
    def typed(self) -> str:
        """The value that the user entered; empty to keep the requested value."""
        return self.field.value.strip()


class ChangeForm(VerticalScroll, can_focus=False):
    """A form of checkboxes and values."""

    class Changed(Message):
        """The proposal may have changed; `is_done` says whether a value was completed."""

        def __init__(self, *, is_done: bool) -> None:
            super().__init__()
            self.is_done = is_done

    def on_check_line_toggled(self, event: CheckLine.Toggled) -> None:
        """Report a changed checkbox, which is complete immediately."""
        event.stop()
        self.post_message(self.Changed(is_done=True))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report that a value is being typed."""
        event.stop()
        self.post_message(self.Changed(is_done=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Report that Enter completed a value."""
        event.stop()
        self.post_message(self.Changed(is_done=True))

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """Report that leaving the field completed its value."""
        event.stop()
        self.post_message(self.Changed(is_done=True))
