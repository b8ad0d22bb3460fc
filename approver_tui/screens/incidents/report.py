"""The panel in which the user reports a request.

Owns: what to quarantine, the note to administrators, sending it. It removes power, so it requires
no PIN. Never: sending before the user has chosen and pressed the button.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from approver_tui.client import errors
from approver_tui.screens import refusals, thread_messages
from approver_tui.screens.approvals.blockers import report_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import report_help, report_keys
from approver_tui.screens.panel import DenialSubmitted, Panel, PanelClosed, ReportAccepted
from approver_tui.state.answer_status import AnswerStatus
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import NOTE_LENGTH, DenyCode
from approver_tui.state.incidents.reports import ReportResult, ReportScope
from approver_tui.state.text import SafeText
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.incidents.reports import choice_label, consequence_text, scope_choices
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.title_line import TitleLine


class _ReportSent(thread_messages.ValueMessage[ReportResult]):
    """The server has accepted the report."""


class ReportPanel(Panel):
    """The choice of agents to quarantine, the effects, a note, Back, Report."""

    CHANGED_TEXT = SafeText("This request changed. Nothing was reported.")
    AUTO_FOCUS = "#scope"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval)
        self._choices = scope_choices(approval, is_open=approval.is_waiting(context.now()))
        words = [choice_label(approval, choice) for choice in self._choices]
        self._scope_list = Choices(words, id="scope")
        self._note = Input(id="note", max_length=NOTE_LENGTH, compact=True)
        self._note.cursor_blink = False
        self._problem = SafeText("")

    def compose(self) -> ComposeResult:
        """Lay out title, choices, consequences, note, buttons and keys."""
        with Vertical(classes="panel"):
            yield TitleLine(partial(self.title_line, fmt("Report?")))
            yield Static(self.approval.headline, id="headline", markup=False)
            yield Static("You did not ask for this. Quarantine:", markup=False)
            yield self._scope_list
            yield CachedLine(id="consequence")
            yield Static("Note to administrators (no agent sees it):", markup=False)
            yield self._note
            with Horizontal(id="buttons"):
                yield PanelButton(fmt("Back"), id="back")
                yield PanelButton(fmt("Report"), id="report")
            yield CachedLine(id="hint")
            yield KeyBar(report_keys())

    def draw_widgets(self) -> None:
        """Update time, consequences and hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self.query_one("#consequence", CachedLine).show(self._consequence())
        text = button_hint(fmt("Report"), reason)
        self.query_one("#hint", CachedLine).show(
            fmt("{} {}", self._problem, text) if self._problem else text
        )
        button = self.query_one("#report", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    def blocker(self) -> SafeText:
        """Return why Report is unavailable, or an empty text."""
        if self.is_busy:
            return fmt("Sending…")
        if reason := report_blocker(self.state, self.approval, self.moment):
            return reason
        if self._scope_list.index is None:
            return fmt("choose an option, 1 to {}.", len(self._choices))
        return SafeText("")

    @on(Choices.Picked)
    def _scope_chosen(self) -> None:
        self.update_panel()

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#report")
    def _report(self) -> None:
        if self.context.guard.is_blocking or self.blocker():
            return
        scope, note = self._scope, self._note.value.strip()
        if scope is None:
            self.dismiss(DenialSubmitted(self.approval, DenyCode.SUSPICIOUS, ""))
            return
        self.is_busy, self._problem = True, SafeText("")
        self.update_panel()
        self.run_worker(partial(self._send, scope, note), thread=True, group="report")

    @on(_ReportSent)
    def _report_accepted(self, message: _ReportSent) -> None:
        self.finish(ReportAccepted(message.value))

    @on(thread_messages.AnswerRefused)
    def _report_refused(self, message: thread_messages.AnswerRefused) -> None:
        self.is_busy = False
        if isinstance(message.error, errors.Changed):
            self.finish(PanelClosed(self.CHANGED_TEXT))
            return
        is_known = errors.answer_status(message.error) is not AnswerStatus.IN_DOUBT
        done = (
            fmt("Nothing was reported.") if is_known else fmt("Send it again: it is counted once.")
        )
        self._problem = refusals.answer_problem(message.error, done=done)
        self.update_panel()

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(report_help(), self.blocker())

    @property
    def _scope(self) -> ReportScope | None:
        return None if self._scope_list.index is None else self._choices[self._scope_list.index]

    def _consequence(self) -> SafeText:
        if self._scope_list.index is None:
            return fmt("Nothing happens until you press Report.")
        return consequence_text(self.approval, self._scope)

    def _send(self, scope: ReportScope, note: str) -> None:
        """Runs in a thread."""
        try:
            reported = self.context.answers.report(self.approval, scope, note)
        except errors.ClientError as error:
            self.post_message(thread_messages.AnswerRefused(self.approval.id, error))
        else:
            self.post_message(_ReportSent(reported))

    def _ended_result(self, copy: Approval) -> PanelClosed | None:
        """A past request can be reported too; only denying it alone is no longer possible."""
        del copy
        return None
