"""The panel in which a person says no, and why.

Owns: the reason and the note. Never: sends; the denial waits five seconds on the screen below.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from approver_tui.screens.desk import Desk
from approver_tui.screens.keys import deny_help, deny_keys
from approver_tui.screens.panel import DenialGiven, Panel
from approver_tui.screens.reasons import why_no_answer
from approver_tui.screens.table import Table
from approver_tui.state.approvals import Approval, Kind
from approver_tui.state.decision import NOTE_LENGTH
from approver_tui.state.text import SafeText
from approver_tui.widgets.deny_codes import DenyCodes
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.panel_button import PanelButton
from approver_tui.widgets.title_line import TitleLine


class DenyPanel(Panel):
    """Six reasons, a note, Back, Deny."""

    NOTHING_HAPPENED = SafeText("This request changed. Nothing was denied.")
    AUTO_FOCUS = "DenyCodes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
    ]

    def __init__(self, desk: Desk, table: Table, approval: Approval) -> None:
        super().__init__(desk, table, approval)
        self._codes = DenyCodes()
        self._note = Input(id="note", max_length=NOTE_LENGTH, compact=True)
        self._note.cursor_blink = False

    @property
    def _told(self) -> str:
        if self.approval.kind is Kind.ACTION:
            return "Say why. The agent is told the reason and your note."
        return "Say why. The log keeps the reason and your note."

    @property
    def _for(self) -> str:
        to = "to the agent" if self.approval.kind is Kind.ACTION else "for the log"
        return f"Note {to} (you need not):"

    def compose(self) -> ComposeResult:
        """Lay out title, reasons, note, buttons and keys."""
        with Vertical(classes="panel"):
            yield TitleLine(partial(self.title_line, say("DENY?")))
            yield Static(self.approval.headline, id="headline", markup=False)
            yield Static(self._told, markup=False)
            yield self._codes
            yield Static(self._for, markup=False)
            yield self._note
            with Horizontal(id="buttons"):
                yield PanelButton(say("Back"), id="back")
                yield PanelButton(say("Deny"), id="deny")
            yield Static(id="why-off", markup=False)
            yield KeyBar(deny_keys())

    def draw_widgets(self) -> None:
        """Bring the time and the reason up to date."""
        reason = self.why_off()
        self.query_one(TitleLine).refresh()
        ready = say("Enter denies. You then have 5 s to take it back (u).")
        text = say("Deny is off: {}", reason) if reason else ready
        self.query_one("#why-off", Static).update(text)
        self.query_one("#deny", PanelButton).disabled = bool(reason)

    def why_off(self) -> SafeText:
        """Return why nothing can be denied, or nothing."""
        if reason := why_no_answer(self.table, self.approval, self.moment):
            return reason
        if self._codes.code is None:
            return say("pick a reason, 1 to 6.")
        return SafeText("")

    @on(DenyCodes.Picked)
    def _picked(self) -> None:
        self.look_again()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(DenyCodes.Sent)
    @on(Button.Pressed, "#deny")
    def _deny(self) -> None:
        code = self._codes.code
        if self.desk.guard.is_holding or code is None or self.why_off():
            return
        note = self._note.value.strip()
        self.dismiss(DenialGiven(self.approval, code, note))

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(deny_help(), self.why_off())
