"""The help page, which any screen can open.

Owns: the layout of the page, the rules that apply everywhere. Never: the keys of a screen, which
the screen passes in.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from approver_tui.screens.keys import HELP_KEYS, Rows
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.text import SafeText
from approver_tui.widgets.entry_sheet import EntrySheet
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, labeled, line, wrap_text

_COLUMN = 8

RULES = (
    SafeText("No single key approves. Approve is a button in its panel; reach it with Tab."),
    SafeText(
        "Keys do nothing for 0.8 s after a panel opens, after the window regains focus, and "
        "after the selection moves by itself. If you keep typing, the wait starts again."
    ),
    SafeText("What an agent says is quoted and marked. It is never part of the facts."),
    SafeText("Expiring isn't a denial. The agent is told which it was."),
)
"""The rules that apply on every screen."""


class HelpScreen(ModalScreen[None], ReadyScreen[None]):
    """The keys of the screen below, why Approve is unavailable there, and its warnings."""

    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", show=False),
    ]

    def __init__(
        self,
        title: SafeText,
        keys: Rows,
        reason: SafeText | None,
        warnings: Sequence[SafeText] = (),
    ) -> None:
        super().__init__()
        self._make_lines = partial(_help_lines, title, keys, reason, warnings)

    def compose(self) -> ComposeResult:
        """Lay out the help page and its key bar."""
        with Vertical(classes="panel -tall"):
            yield EntrySheet(self._make_lines, id="help")
            yield KeyBar(HELP_KEYS)


def _help_lines(
    title: SafeText, keys: Rows, reason: SafeText | None, warnings: Sequence[SafeText], width: int
) -> list[Line]:
    lines = [line(title, Role.HEADING), *_approve_lines(reason, width)]
    for warning in warnings:
        lines += wrap_text(warning, width, Role.ALERT)
    lines.append(BLANK)
    for key, meaning in keys:
        lines += labeled(key, meaning, width, _COLUMN)
    lines.append(BLANK)
    for rule in RULES:
        lines += labeled(SafeText("-"), rule, width, 2)
    return lines


def _approve_lines(reason: SafeText | None, width: int) -> list[Line]:
    """Return lines that say whether Approve is available; none if the screen cannot approve."""
    if reason is None:
        return []
    text = fmt("Approve unavailable: {}", reason) if reason else fmt("Approve is available.")
    return wrap_text(text, width, Role.STRONG)
