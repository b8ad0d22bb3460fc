"""A Textual app that does nothing: the minimum cost of any Textual app."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """An app with one line."""

    def compose(self) -> ComposeResult:
        """Yield the line that the measurement waits for."""
        yield Static("FIRST FRAME")


if __name__ == "__main__":
    Bare().run()
