"""A checkbox that shows its state without color.

Owns: the box, and the pointer while the checkbox has the focus. Never: the effect of checking it.
"""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import fmt


class CheckLine(Static, can_focus=True):
    """A checkbox, drawn as `[x] words`. Space, Enter and a click toggle it."""

    enter_label = SafeText("Select")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "toggle_check", show=False)]

    class Toggled(Message):
        """The checkbox was checked or unchecked."""

    def __init__(self, words: SafeText, *, is_on: bool, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(markup=False, id=id)
        self.words = words
        self.is_on = is_on

    def action_toggle_check(self) -> None:
        """Toggle the checkbox."""
        self.is_on = not self.is_on
        self.refresh(layout=True)
        self.post_message(self.Toggled())

    def on_click(self, _event: events.Click) -> None:
        """Toggle the checkbox when it is clicked."""
        self.action_toggle_check()

    def on_focus(self, _event: events.Focus) -> None:
        """Show the pointer."""
        self.refresh(layout=True)

    def on_blur(self, _event: events.Blur) -> None:
        """Hide the pointer."""
        self.refresh(layout=True)

    def render(self) -> Content:
        """Draw the pointer, the box and the words."""
        pointer = fmt(">") if self.has_focus else fmt(" ")
        return Content(fmt("{}[{}] {}", pointer, fmt("x") if self.is_on else fmt(" "), self.words))
