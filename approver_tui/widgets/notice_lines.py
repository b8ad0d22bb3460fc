"""Lines of the app's own text: warnings above the inbox, the status line below.

Owns: wrapping lines, hiding empty ones. Never: showing an agent's text.
"""

from textual.content import Content
from textual.widgets import Static

from approver_tui.state.text import SafeText

LOADING = SafeText("Loading…")
"""The message that is shown until the server responds."""


class CachedLine(Static):
    """A line that is redrawn only when its text changes."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(markup=False, id=id)
        self._shown = SafeText("")

    def show(self, text: SafeText) -> None:
        """Draw the text, if it changed; lay out again only if the size depends on it."""
        if text != self._shown:
            self._shown = text
            self.update(Content(text), layout=self.styles.auto_dimensions)

    @property
    def text(self) -> str:
        """The text that is shown."""
        return self._shown


class NoticeLines(CachedLine):
    """A line for each notice; hidden if there are none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.display = False

    def show_all(self, *notices: SafeText) -> None:
        """Draw the notices that are not empty."""
        text = SafeText("\n".join(filter(None, notices)))
        self.display = bool(text)
        self.show(text)


class StatusLine(CachedLine):
    """The last message, in full, above the key hints."""
