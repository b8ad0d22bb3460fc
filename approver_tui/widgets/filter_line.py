"""The line in which a person types what they want to see.

Owns: opening and closing, handing on what was typed. Never: reads it; that is `state.queries`.
"""

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from approver_tui.state.text import SafeText

_HINT = SafeText("words  !word  agent:NAME  risk:high  since:7d  is:denied")
_LONGEST = 200


class FilterLine(Input):
    """Not there until it is opened; Enter hands on, Esc leaves things as they are."""

    BINDINGS = [Binding("escape", "leave", show=False)]  # noqa: RUF012  # Textual's declaration

    class Given(Message):
        """The person has typed it, or gone back; then it is what it was before."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="filter", max_length=_LONGEST, compact=True, placeholder=_HINT)
        self.cursor_blink = False
        self.display = False
        self._before = ""

    def open(self, text: str) -> None:
        """Show it with what counts now, and take the keys."""
        self._before = self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    async def action_submit(self) -> None:
        """Hand on what was typed."""
        self._close(self.value)

    def action_leave(self) -> None:
        """Leave things as they are."""
        self._close(self._before)

    def on_blur(self, _event: events.Blur) -> None:
        """A line that nobody types in is not shown."""
        self.display = False

    def _close(self, text: str) -> None:
        self.display = False
        self.post_message(self.Given(text))
