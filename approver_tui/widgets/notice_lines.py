"""Lines of our own words that stay: warnings above the inbox, the status line below.

Owns: wrapping them and giving way when empty. Never: an agent's words.
"""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from approver_tui.state.text import SafeText


class NoticeLines(Static):
    """As many lines as there are notices; none takes no room."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(markup=False, id=id)
        self._shown: tuple[SafeText, ...] | None = None

    def show(self, notices: Sequence[SafeText]) -> None:
        """Draw these notices."""
        if tuple(notices) != self._shown:
            self._shown = tuple(notices)
            self.display = bool(notices)
            self.update(Content("\n".join(notices)))


class CachedLine(Static):
    """Words that are drawn when they change; saying the same again costs nothing."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(markup=False, id=id)
        self._shown: SafeText | None = None

    def show(self, text: SafeText) -> None:
        """Draw another text; where the style sheet gives the line its height, nothing moves."""
        if text != self._shown:
            self._shown = text
            self.update(Content(text), layout=self.styles.auto_dimensions)

    @property
    def text(self) -> str:
        """What stands there."""
        return self._shown or ""


class StatusLine(CachedLine):
    """What happened last, whole: as many rows as it takes, above the keys."""
