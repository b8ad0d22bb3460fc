"""A field for one line of text.

Owns: which line of a paste it takes. Never: what the text means.
"""

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """A field that takes the first non-blank line of a paste."""

    def _on_paste(self, event: events.Paste) -> None:
        """Remove the blank lines before the text; Textual would paste only the first of them."""
        event.text = event.text.lstrip()
