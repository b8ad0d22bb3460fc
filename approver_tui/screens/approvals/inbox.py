"""The inbox: waiting requests on the left, the selected one on the right, or one at a time.

Owns: its keys, and opening panels. Never: the state, which the base class has; moves the selection
or the focus because something arrived.
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, TypeAlias

from textual import on
from textual.binding import Binding, BindingType

from approver_tui.messages import MarkWanted, Opened, Selected
from approver_tui.screens.approvals import marking
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.batch_approve import BatchApprovePanel
from approver_tui.screens.approvals.batch_deny import BatchDenyPanel
from approver_tui.screens.approvals.copying import copy_id, copy_link
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.history import HistoryPage, of_agent
from approver_tui.screens.approvals.inbox_base import READING, InboxBase
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.narrow import NarrowPanel
from approver_tui.screens.approvals.open_elsewhere import OpenElsewherePanel
from approver_tui.screens.approvals.reasons import (
    AnswerContext,
    why_no_answer,
    why_no_narrowing,
    why_no_report,
    why_no_retry,
    why_no_standing_grant,
    why_no_yes,
)
from approver_tui.screens.confirm import ConfirmAction
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.screens.keys import Rows, inbox_help
from approver_tui.screens.panel import Panel
from approver_tui.screens.standing_grants.grant import StandingGrantPanel
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.queries import read_query
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.approvals.approval_list import ApprovalList
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.lines import say
from approver_tui.widgets.sheet import Sheet

WhyNot: TypeAlias = Callable[[InboxState, Approval | None, AnswerContext], SafeText]


class InboxScreen(InboxBase):
    """The first screen, below all others on the stack."""

    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", id="approve", show=False),
        Binding("d", "deny", id="deny", show=False),
        Binding("e", "narrow", id="less", show=False),
        Binding("s", "similar", id="similar", show=False),
        Binding("exclamation_mark", "report", id="report", show=False),
        Binding("u", "take_back", id="take_back", show=False),
        Binding("o", "elsewhere", id="elsewhere", show=False),
        *(Binding(str(number), f"app.go({number})", show=False) for number in range(2, 7)),
        Binding("x", "mark", id="mark", show=False),
        Binding("X", "unmark", id="unmark", show=False),
        Binding("v", "turn_over", id="details", show=False),
        Binding("E", "extend", id="extend", show=False),
        Binding("R", "retry", id="retry", show=False),
        Binding("S", "snooze", id="snooze", show=False),
        Binding("M", "mute", id="mute", show=False),
        Binding("plus", "unfold", id="unfold", show=False),
        Binding("t", "trail", id="trail", show=False),
        Binding("y", "copy_id", id="copy", show=False),
        Binding("Y", "copy_link", id="copy_link", show=False),
        Binding("r", "refresh", id="refresh", show=False),
        Binding("L", "lock", id="lock", show=False),
        Binding("slash", "filter", id="filter", show=False),
        Binding("colon", "palette", id="palette", show=False),
        Binding("ctrl+p", "palette", show=False),
        Binding("question_mark", "help", id="help", show=False),
        Binding("f1", "help", show=False),
        Binding("escape", "back", show=False),
        Binding("q", "leave", id="quit", show=False),
    ]

    @on(Selected)
    def _selected(self, message: Selected) -> None:
        self.change(self.state.moved_to(message.approval_id))
        self.forget_off()
        if not self._is_narrow:
            self._look_soon()

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        if message.approval_id != self.state.selected:
            self.forget_off()
        self.change(self.state.moved_to(message.approval_id))
        self.add_class(READING)
        self.query_one(ApprovalDetail).focus()
        self._look_soon()
        self.draw()

    @on(Sheet.Scrolled)
    def _scrolled(self) -> None:
        if self.is_ready:
            self.draw_news()

    def action_approve(self) -> None:
        """Open the panel that approves the marked or selected requests, or say why not."""
        if self.state.marks:
            self.answering.open(partial(BatchApprovePanel, self.context, self.state))
        else:
            self._open(say("Approve"), ApprovePanel, self.why_no_yes())

    def action_deny(self) -> None:
        """Open the panel that denies the marked or selected requests, or say why not."""
        if self.state.marks:
            self.answering.open(partial(BatchDenyPanel, self.context, self.state))
        else:
            self._open(say("Deny"), DenyPanel, why_no_answer(*self._case))

    def action_narrow(self) -> None:
        """Open the panel that narrows, or say why not."""
        self._open(say("Limits"), NarrowPanel, why_no_narrowing(*self._case))

    def action_similar(self) -> None:
        """Open the panel that creates a standing grant, or say why not."""
        self._open(say("Similar"), StandingGrantPanel, why_no_standing_grant(*self._case))

    def action_report(self) -> None:
        """Open the panel that reports, or say why not."""
        self._open(say("Report"), ReportPanel, why_no_report(*self._case))

    def action_elsewhere(self) -> None:
        """Show the link to the selected request's page, or say why not."""
        self._open(say("Phone"), OpenElsewherePanel, why_no_answer(*self._case))

    def action_take_back(self) -> None:
        """Undo the latest denial before it is sent."""
        self.answering.take_back()

    def action_turn_over(self) -> None:
        """Switch between the signed texts and the details."""
        self.query_one(ApprovalDetail).turn_over()

    def action_extend(self) -> None:
        """Confirm before extending the selected request, or say why not."""
        self._arrange(say("Extend"), why_no_answer, self._arranging.longer)

    def action_retry(self) -> None:
        """Confirm before asking the agent of the expired request to retry, or say why not."""
        self._arrange(say("Retry"), why_no_retry, self._arranging.again)

    def action_snooze(self) -> None:
        """Confirm before snoozing the selected request, or ending its snooze."""
        action = partial(self._arranging.snooze, attention=self.state.attention)
        self._arrange(say("Snooze"), why_no_answer, action)

    def action_mute(self) -> None:
        """Confirm before muting the agent of the selected request, or unmuting it."""
        self._arrange(say("Mute"), why_no_answer, self._muting)

    def action_trail(self) -> None:
        """Show earlier requests of the selected request's agent."""
        approval = self.state.current
        if approval is None:
            self.say_off(say("Trail"), say("nothing is selected."))
        else:
            self.app.push_screen(
                HistoryPage(self.page_context, of_agent(approval.agent, self.context.now()))
            )

    def action_copy_id(self) -> None:
        """Copy the selected request's ID."""
        self.say(copy_id(self.app, self.state.current))

    def action_copy_link(self) -> None:
        """Copy the link to its page."""
        self.say(copy_link(self.app, self.state.current, self.context))

    def action_unfold(self) -> None:
        """Expand or collapse the requests that look alike."""
        fold = self.state.fold(self.context.now())
        if fold is None or fold.alike == 1:
            self.say(say("No other request looks like this one."))
        else:
            self.change(self.state.unfolded())

    def action_mark(self) -> None:
        """Mark or unmark the requests of the selected row, or say why not."""
        self._mark(*marking.toggle_mark(self.state, self._moment))

    def action_unmark(self) -> None:
        """Unmark all requests."""
        self._mark(*marking.clear_marks(self.state))

    @on(MarkWanted)
    def _mark_wanted(self, message: MarkWanted) -> None:
        state = self.state.moved_to(message.approval_id)
        self._mark(*marking.toggle_mark(state, self._moment))

    def action_refresh(self) -> None:
        """Reload from the server and sort the list."""
        self.say(say("Loading…"))
        self._calls.load(in_order=True)

    def action_lock(self) -> None:
        """Lock the app."""
        self.context.answers.lock()
        self.say(say("Locked: the next approval requires the PIN."))

    def help_title(self) -> SafeText:
        """Return the title of the help."""
        return say("KEYS IN THE INBOX")

    def help_rows(self) -> Rows:
        """Return the keys of the inbox."""
        return inbox_help()

    def action_filter(self) -> None:
        """Open the filter line."""
        self.query_one(FilterLine).open(self.state.query.text)

    @on(FilterLine.Given)
    def _given(self, message: FilterLine.Given) -> None:
        """Apply the filter; an invalid one is reported and changes nothing."""
        try:
            self._select(self.state.asked_for(read_query(message.text, self.context.now())))
        except ValueError as error:
            self.say(say("Filter: {}.", display_safe(str(error))))
        self.query_one(ApprovalList).focus()

    def action_back(self) -> None:
        """Go back from reading to the list."""
        self.remove_class(READING)
        self.query_one(ApprovalList).focus()
        self.draw()

    def action_leave(self) -> None:
        """Quit after sending the waiting denial; a second time quits at once."""
        self.answering.leave()

    def why_no_yes(self) -> SafeText:
        """Return why the selected request cannot be approved, or an empty text."""
        return why_no_yes(*self._case)

    def _mark(self, state: InboxState, said: SafeText) -> None:
        self.change(state)
        self.say(said)

    def _open(self, verb: SafeText, panel: type[Panel], reason: SafeText) -> None:
        approval = self.state.current
        if reason or approval is None:
            self.say_off(verb, reason)
        else:
            self.answering.open(partial(panel, self.context, self.state, approval))

    def _arrange(
        self, verb: SafeText, why_not: WhyNot, action: Callable[[Approval], ConfirmAction]
    ) -> None:
        """Confirm an action that changes neither the request nor its answer."""
        approval = self.state.current
        reason = why_not(*self._case)
        if reason or approval is None:
            self.say_off(verb, reason)
        else:
            self.confirm(action(approval), partial(self._why_not, why_not, approval))

    def _why_not(self, why_not: WhyNot, approval: Approval) -> SafeText:
        """Return why the action is no longer possible for the request of the panel."""
        copy = self.state.inbox.find(approval.id) or approval
        return why_not(self.state, copy, self._moment)

    def _muting(self, approval: Approval) -> ConfirmAction:
        agent = approval.agent
        return self._arranging.mute(agent.id, agent.name, self.state.attention)

    @property
    def _case(self) -> tuple[InboxState, Approval | None, AnswerContext]:
        return self.state, self.state.current, self._moment
