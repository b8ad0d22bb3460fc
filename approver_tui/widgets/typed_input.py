"""A field that must be filled by typing.

Owns: refusing to paste, copy and submit. Never: keeping the text; `take` clears the field, and
`clear_secret` clears it if its text is a secret.
"""

from textual import events
from textual.widgets import Input


class TypedInput(Input):
    """A field for text that the user must type."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  # Textual's name
        is_hidden: bool = False,
        max_length: int = 128,
    ) -> None:
        super().__init__(
            password=is_hidden, max_length=max_length, id=id, compact=True, select_on_focus=False
        )
        self.cursor_blink = False

    def take(self) -> str:
        """Return the text and clear the field."""
        typed = self.value
        self.value = ""
        return typed

    def clear_secret(self) -> None:
        """Clear the field if its text is a secret."""
        if self.password:
            self.value = ""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()

    def action_paste(self) -> None:
        """Do nothing, because the text must be typed."""

    def action_copy(self) -> None:
        """Do nothing, because the text must not be copied."""

    def action_cut(self) -> None:
        """Do nothing, because the text must not be copied."""

    async def action_submit(self) -> None:
        """Do nothing, because Enter must not submit an answer."""
