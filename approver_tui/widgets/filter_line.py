"""The line in which the user types a filter.

Owns: opening and closing, passing on the text. Never: parsing it; `state.queries` does.
"""

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from approver_tui.state.text import SafeText

_HINT = SafeText("words  !word  agent:NAME  risk:high  since:7d  is:denied")
_LONGEST = 200


class FilterLine(Input):
    """Hidden until it is opened; Enter applies the filter, Esc keeps the old one."""

    BINDINGS = [Binding("escape", "leave", show=False)]  # noqa: RUF012  # Textual's declaration

    class Applied(Message):
        """The user applied the filter, or went back and kept the old one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="filter", max_length=_LONGEST, compact=True, placeholder=_HINT)
        self.cursor_blink = False
        self.display = False
        self._before = ""

    def open(self, text: str) -> None:
        """Show it with the current filter, and take the focus."""
        self._before = self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    async def action_submit(self) -> None:
        """Apply the filter."""
        self._close(self.value)

    def action_leave(self) -> None:
        """Close and keep the old filter."""
        self._close(self._before)

    def on_blur(self, _event: events.Blur) -> None:
        """Hide the line when it loses the focus."""
        self.display = False

    def _close(self, text: str) -> None:
        self.display = False
        self.post_message(self.Applied(text))
