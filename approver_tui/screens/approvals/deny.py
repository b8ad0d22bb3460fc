"""The panel in which the user denies.

Owns: when Deny is available. Never: sending; the denial waits five seconds on the screen below.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from approver_tui.screens.approvals.blockers import answer_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import deny_help, deny_keys
from approver_tui.screens.panel import BatchSubmitted, DenialSubmitted, Deny, Panel, PanelClosed
from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.denial_form import DenialForm
from approver_tui.widgets.approvals.deny_codes import NOT_PICKED, DenyCodes
from approver_tui.widgets.check_line import CheckLine
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.title_line import TitleLine


class DenyPanel(Panel):
    """The headline, the denial's fields, Back, Deny."""

    CHANGED_TEXT = SafeText("This request changed. Nothing was denied.")
    AUTO_FOCUS = "DenyCodes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval)
        self._form = DenialForm(approval.kind)
        self._others = _other_requests(state, approval, context.now())
        self._all = CheckLine(_others_text(approval, len(self._others)), is_on=False, id="all")

    def compose(self) -> ComposeResult:
        """Lay out title, reasons, note, buttons and keys."""
        with Vertical(classes="panel"):
            yield TitleLine(partial(self.title_line, fmt("Deny?")))
            yield Static(self.approval.headline, id="headline", markup=False)
            yield self._form
            if self._others:
                yield self._all
            with Horizontal(id="buttons"):
                yield PanelButton(fmt("Back"), id="back")
                yield PanelButton(fmt("Deny"), id="deny")
            yield CachedLine(id="hint")
            yield KeyBar(deny_keys())

    def draw_widgets(self) -> None:
        """Update the time and the hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self._form.show()
        text = button_hint(fmt("Deny"), reason) if reason else self._ready_text
        self.query_one("#hint", CachedLine).show(text)
        self.query_one("#deny", PanelButton).disabled = bool(reason)

    @property
    def _ready_text(self) -> SafeText:
        """How to deny from where the focus is, and what else is possible."""
        here = isinstance(self.focused, DenyCodes) or self.focused is self.query_one("#deny")
        how = fmt("Enter denies.") if here else fmt("Tab to Deny, then Enter.")
        if self._form.code is DenyCode.SUSPICIOUS and self.approval.kind is Kind.ACTION:
            report = self.context.keys.key("report")
            return fmt("{} To quarantine its agent too, report it: Esc, then {}", how, report)
        return fmt("{} You then have 5 s to undo it ({}).", how, self.context.keys.key("undo"))

    def action_back(self) -> None:
        """Go back; if something was typed, say that nothing was denied."""
        written = any(field.value.strip() for field in self.query(Input))
        nothing = PanelClosed(fmt("Nothing was denied. Your notes were not kept."))
        self.dismiss(nothing if written else None)

    def blocker(self) -> SafeText:
        """Return why Deny is unavailable, or an empty text."""
        if reason := answer_blocker(self.state, self.approval, self.moment):
            return reason
        if self._form.code is None:
            return NOT_PICKED
        return SafeText("")

    @on(DenyCodes.Picked)
    @on(Choices.Picked)
    def _reason_chosen(self) -> None:
        self.update_panel()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(DenyCodes.Sent)
    @on(Button.Pressed, "#deny")
    def _deny(self) -> None:
        code = self._form.code
        if self.context.guard.is_blocking or code is None or self.blocker():
            return
        extras = self._form.extras(self.context.now(), self.context.zone)
        if self._all.is_on:
            answer = Deny(code, self._form.note, extras)
            self.dismiss(BatchSubmitted((self.approval, *self._others), answer))
        else:
            self.dismiss(DenialSubmitted(self.approval, code, self._form.note, extras))

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(deny_help(), self.blocker())


def _other_requests(state: InboxState, approval: Approval, now: int) -> tuple[Approval, ...]:
    """The other requests of its agent that can be denied; each gets its own answer."""
    if approval.kind is not Kind.ACTION:
        return ()
    return tuple(
        each
        for each in state.inbox.waiting(now)
        if each.agent.id == approval.agent.id and each.kind is Kind.ACTION
        if each.id != approval.id
        and each.id not in state.in_progress
        and not state.has_approved(each)
    )


def _others_text(approval: Approval, count: int) -> SafeText:
    which = fmt("1 other request") if count == 1 else fmt("{} other requests", count)
    return fmt("Deny {} of {} too, as they are now", which, approval.agent.name)
