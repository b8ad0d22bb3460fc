"""The Textual app that does nothing: what any terminal app of this toolkit costs at the least."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        """The line that the measurement waits for."""
        yield Static("FIRST FRAME")


if __name__ == "__main__":
    Bare().run()
