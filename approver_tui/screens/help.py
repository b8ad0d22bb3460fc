"""The help page over any screen.

Owns: opening and closing it. Never: the text; that is `widgets.help_sheet`.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from approver_tui.screens.keys import HELP_KEYS
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.text import SafeText
from approver_tui.widgets.help_sheet import HelpSheet
from approver_tui.widgets.key_bar import KeyBar


class HelpScreen(ModalScreen[None], ReadyScreen[None]):
    """The keys of the screen below, why Approve is unavailable there, and its warnings."""

    AUTO_FOCUS = "HelpSheet"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", show=False),
    ]

    def __init__(
        self,
        title: SafeText,
        keys: Sequence[tuple[SafeText, SafeText]],
        reason: SafeText | None,
        warnings: Sequence[SafeText] = (),
    ) -> None:
        super().__init__()
        self._sheet = HelpSheet(title, keys, reason, warnings)

    def compose(self) -> ComposeResult:
        """Lay out the page and its keys."""
        with Vertical(classes="panel -tall"):
            yield self._sheet
            yield KeyBar(HELP_KEYS)
