"""Something to tick or untick, which shows without colour whether it is ticked.

Owns: the box, the pointer while it has the focus. Never: what ticking means.
"""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say


class Tick(Static, can_focus=True):
    """`[x] words`; space, Enter and a click turn it over."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "turn", show=False)]

    class Turned(Message):
        """It was ticked or unticked."""

    def __init__(self, words: SafeText, *, is_on: bool, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(markup=False, id=id)
        self._words = words
        self.is_on = is_on

    def action_turn(self) -> None:
        """Turn it over."""
        self.is_on = not self.is_on
        self.refresh(layout=True)
        self.post_message(self.Turned())

    def on_click(self, _event: events.Click) -> None:
        """A click turns it over."""
        self.action_turn()

    def on_focus(self, _event: events.Focus) -> None:
        """Point at it."""
        self.refresh(layout=True)

    def on_blur(self, _event: events.Blur) -> None:
        """Point at it no more."""
        self.refresh(layout=True)

    def render(self) -> Content:
        """Draw pointer, box and words."""
        pointer = say(">") if self.has_focus else say(" ")
        return Content(say("{}[{}] {}", pointer, say("x") if self.is_on else say(" "), self._words))
