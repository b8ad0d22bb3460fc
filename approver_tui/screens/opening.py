"""The first frame: the screen while the rest of the program is loaded.

Owns: showing at once what has started, and letting the user quit. Never: importing slow modules,
showing a request, or handling any other key.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from approver_tui.screens.keys import QUIT
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.top_bar import TopBar, TopView

_VIEW = TopView(
    title=SafeText("Sayso"),
    user=SafeText(""),
    connection=Connection(Phase.CONNECTING),
    fresh_at=None,
    now=0,
    zone=None,
)


class OpeningScreen(ReadyScreen[None]):
    """Bar, one line and keys, placed as in the inbox."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", id="quit", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out what needs no server."""
        yield TopBar(_VIEW)
        yield Static(fmt("Loading .."), id="loading", markup=False)
        yield KeyBar((QUIT,))
