"""A button of a panel that shows without colour whether Enter would press it.

Owns: the brackets and the pointers around a label. Never: more weight for yes than for no.
"""

from textual import events
from textual.content import Content
from textual.widgets import Button

from approver_tui.state.text import SafeText


class PanelButton(Button):
    """`[ Back ]`, or `> Back <` while it has the focus."""

    def __init__(self, label: SafeText, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(Content(f"[ {label} ]"), id=id, compact=True)
        self._words = label

    def on_focus(self, _event: events.Focus) -> None:
        """Point at the label."""
        self.label = Content(f"> {self._words} <")

    def on_blur(self, _event: events.Blur) -> None:
        """Put the brackets back."""
        self.label = Content(f"[ {self._words} ]")
