"""The field for the PIN.

Owns: hiding it, refusing paste, never submitting. Never: keeps it; `take` empties the field.
"""

from textual import events
from textual.widgets import Input


class PinInput(Input):
    """A field that only fingers can fill."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(password=True, max_length=128, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def take(self) -> str:
        """Return what was typed and empty the field."""
        pin = self.value
        self.value = ""
        return pin

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()

    def action_paste(self) -> None:
        """Do nothing: a clipboard is not a person."""

    def action_copy(self) -> None:
        """Do nothing: the PIN goes nowhere."""

    def action_cut(self) -> None:
        """Do nothing: the PIN goes nowhere."""

    async def action_submit(self) -> None:
        """Do nothing: Enter in this field never decides."""
