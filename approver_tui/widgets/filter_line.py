"""The line in which the user types a filter.

Owns: opening and closing the line, passing on the text while it is typed. Never: parsing the text,
which `state.queries` does.
"""

from collections.abc import Mapping

from textual import events, on
from textual.binding import Binding
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input

from approver_tui.state.text import SafeText

_HINT = SafeText(
    "words  !word  agent:NAME  risk:high  since:7d  is:denied  @NAME = FILTER saves it"
)
_MAX_FILTER_LENGTH = 200


class FilterLine(Input):
    """The filter line, hidden until opened. Enter keeps the filter, Esc clears it."""

    BINDINGS = [Binding("escape", "clear_filter", show=False)]  # noqa: RUF012  # Textual's declaration

    class Applied(Message):
        """The user changed the filter; `is_done` says whether they finished typing it."""

        def __init__(self, text: str, *, is_done: bool) -> None:
            super().__init__()
            self.text = text
            self.is_done = is_done

    def __init__(self, saved: Mapping[str, str]) -> None:
        super().__init__(id="filter", max_length=_MAX_FILTER_LENGTH, compact=True)
        self._saved = saved
        self.cursor_blink = False
        self.display = False

    def open(self, text: str) -> None:
        """Show the line with the current filter, and take the focus."""
        names = [f"@{name}" for name in self._saved]
        self.placeholder = "  ".join((*names, _HINT))
        self.suggester = SuggestFromList(names)
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Applied(self.value, is_done=False))

    async def action_submit(self) -> None:
        """Close the line and apply its text."""
        self._close(self.value)

    def action_clear_filter(self) -> None:
        """Close the line and clear the filter."""
        self._close("")

    def apply(self, text: str) -> None:
        """Apply a complete filter, such as a saved one."""
        self.post_message(self.Applied(text, is_done=True))

    def on_blur(self, _event: events.Blur) -> None:
        """Hide the line when it loses the focus."""
        self.display = False

    def _close(self, text: str) -> None:
        self.display = False
        self.apply(text)
