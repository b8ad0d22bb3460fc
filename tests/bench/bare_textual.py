"""A Textual app that does nothing: the minimum cost of any app of this toolkit."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        """The line that the measurement waits for."""
        yield Static("FIRST FRAME")


if __name__ == "__main__":
    Bare().run()
