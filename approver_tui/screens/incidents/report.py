"""The panel in which the user reports a request.

Owns: the choice of what to quarantine, the note to administrators, sending the report. A report
takes rights away, so it requires no PIN. Never: sending before the user chose and pressed Report.
"""

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.blockers import report_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import REPORT_HELP, REPORT_KEYS, hint
from approver_tui.screens.panel import DenialSubmitted, Deny, Panel, PanelClosed, ReportAccepted
from approver_tui.state.answer_status import AnswerStatus
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.incidents.reports import ReportResult, ReportScope
from approver_tui.state.text import SafeText
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.incidents.reports import choice_label, consequence_text, scope_choices
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.note_input import NoteInput
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import button_hint
from approver_tui.widgets.title_line import TitleLine


class ReportPanel(Panel):
    """The panel with the agents to quarantine, the effects, a note, Back and Report."""

    TITLE = SafeText("Report?")
    CHANGED_TEXT = SafeText("This request changed. Nothing was reported.")
    ALLOWS_ENDED_REQUESTS = True
    AUTO_FOCUS = "#scope"
    BUTTON = "report"
    HINTS = REPORT_KEYS
    HELP_ROWS = REPORT_HELP
    verb = SafeText("Report")

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval)
        self._choices = scope_choices(approval, is_open=approval.is_waiting(context.now()))
        labels = [choice_label(approval, scope) for scope in self._choices]
        self._scope_list = Choices(labels, id="scope")
        self._note = NoteInput(context.environment.editor, id="note")
        self._problem = SafeText("")

    def content(self) -> ComposeResult:
        """Lay out the title, the choices, the effects and the note."""
        yield from self.heading()
        yield Static("You did not ask for this. Quarantine:", markup=False)
        yield self._scope_list
        yield CachedLine(id="consequence")
        yield Static("Note to administrators (no agent sees it):", markup=False)
        yield self._note

    def hints(self) -> tuple[Hint, ...]:
        """Return the key hints, with the digits that choose an option first."""
        return (hint(f"1-{len(self._choices)}", "Pick", ""), *super().hints())

    def draw_widgets(self) -> None:
        """Update the time, the effects and the hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self.query_one("#consequence", CachedLine).show(self._consequence())
        hint_text = button_hint(self.verb, reason)
        self.draw_button(
            reason, fmt("{} {}", self._problem, hint_text) if self._problem else hint_text
        )

    def blocker(self) -> SafeText:
        """Return why Report is unavailable; empty if it is available."""
        blocker = report_blocker(self.state, self.approval, self.context)
        if reason := super().blocker() or blocker:
            return reason
        if self._scope_list.index is None:
            return fmt("choose an option, 1 to {}.", len(self._choices))
        return SafeText("")

    @on(Choices.Picked)
    def _scope_chosen(self) -> None:
        self.update_panel()

    def submit(self) -> None:
        """Send the report in a thread, or a denial if nothing is to be quarantined."""
        scope = self._scope
        if scope is None:
            self.dismiss(DenialSubmitted(self.approval, Deny(DenyCode.SUSPICIOUS, "")))
            return
        self.is_busy, self._problem = True, SafeText("")
        self.update_panel()
        note = self._note.value.strip()
        work = partial(self.context.answers.report, self.approval, scope, note)
        self.run_in_thread(work, self._accepted, self._refused, group="report")

    def _accepted(self, reported: ReportResult) -> None:
        self.finish(ReportAccepted(reported))

    def _refused(self, error: errors.ClientError) -> None:
        self.is_busy = False
        if isinstance(error, errors.Changed):
            self.finish(PanelClosed(self.CHANGED_TEXT))
            return
        is_known = errors.answer_status(error) is not AnswerStatus.IN_DOUBT
        result_text = (
            fmt("Nothing was reported.")
            if is_known
            else fmt("Send it again. Sayso counts it only once.")
        )
        self._problem = refusals.answer_problem(error, done=result_text)
        self.update_panel()

    @property
    def _scope(self) -> ReportScope | None:
        return None if self._scope_list.index is None else self._choices[self._scope_list.index]

    def _consequence(self) -> SafeText:
        if self._scope_list.index is None:
            return fmt("Nothing happens until you press Report.")
        return consequence_text(self.approval, self._scope)
