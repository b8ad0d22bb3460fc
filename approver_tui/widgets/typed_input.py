"""A field that only fingers can fill.

Owns: refusing paste, never submitting. Never: keeps what was typed; `take` empties the field, and
`forget` does where nobody may read it.
"""

from textual import events
from textual.widgets import Input


class TypedInput(Input):
    """A field for what a person has to type by hand."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  # Textual's name
        is_hidden: bool = False,
        longest: int = 128,
    ) -> None:
        super().__init__(
            password=is_hidden, max_length=longest, id=id, compact=True, select_on_focus=False
        )
        self.cursor_blink = False

    def take(self) -> str:
        """Return what was typed and empty the field."""
        typed = self.value
        self.value = ""
        return typed

    def forget(self) -> None:
        """Empty the field where what is typed is a secret."""
        if self.password:
            self.value = ""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()

    def action_paste(self) -> None:
        """Do nothing: a clipboard is not a person."""

    def action_copy(self) -> None:
        """Do nothing: what is typed here goes nowhere else."""

    def action_cut(self) -> None:
        """Do nothing: what is typed here goes nowhere else."""

    async def action_submit(self) -> None:
        """Do nothing: Enter in this field never decides."""
