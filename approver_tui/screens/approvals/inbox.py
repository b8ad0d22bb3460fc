"""The inbox: the list on the left and the selected request on the right, or only one of the two.

Owns: the keys of the inbox, opening panels. Never: the state, which the base class has; moving the
selection or the focus because something arrived.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar, TypeAlias

from textual import on
from textual.binding import Binding, BindingType

from approver_tui.messages import CheckboxClicked, Opened, Selected
from approver_tui.screens.approvals import marking
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.batch_approve import BatchApprovePanel
from approver_tui.screens.approvals.batch_deny import BatchDenyPanel
from approver_tui.screens.approvals.blockers import (
    AnswerContext,
    answer_blocker,
    approval_blocker,
    narrowing_blocker,
    report_blocker,
    retry_blocker,
    standing_grant_blocker,
    withdrawal_blocker,
)
from approver_tui.screens.approvals.copying import choose_fact, copy_id, copy_link
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.history import HistoryPage, agent_query
from approver_tui.screens.approvals.inbox_base import READING_CLASS, InboxBase
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.narrow import NarrowPanel
from approver_tui.screens.approvals.open_elsewhere import OpenElsewherePanel
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.screens.keys import INBOX_HELP, Rows, bindings
from approver_tui.screens.panel import Panel
from approver_tui.screens.request_actions import QuickAction
from approver_tui.screens.standing_grants.grant import StandingGrantPanel
from approver_tui.screens.thread_messages import LogChecked
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.queries import NO_QUERY
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.approvals.approval_list import ApprovalList
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import LOADING
from approver_tui.widgets.sheet import Sheet

Blocker: TypeAlias = Callable[[InboxState, Approval | None, AnswerContext], SafeText]


class InboxScreen(InboxBase):
    """The first screen, at the bottom of the screen stack."""

    AUTO_FOCUS = "#list"
    _query_before = NO_QUERY
    """The filter to restore if the one that is being typed is invalid."""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"app.go({number})", show=False) for number in range(2, 7)),
        *bindings(
            "approve deny narrow standing_grant report withdraw extend retry snooze mute "
            "agent_history copy_link copy_fact lock filter",
            undo="undo_denial",
            open_on_phone="open_elsewhere",
            select="mark",
            select_all="mark_all",
            details="toggle_raw",
            expand="unfold",
            copy="copy_id",
            next="next_waiting",
        ),
    ]

    @on(Selected)
    def _selected(self, message: Selected) -> None:
        self.set_state(self.state.with_selection(message.approval_id))
        self.clear_unavailable()
        if not self._is_narrow:
            self._fetch_soon()

    @on(LogChecked)
    def _log_checked(self, message: LogChecked) -> None:
        self.set_state(replace(self.state, log_alarm=message.value))

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        if message.approval_id != self.state.selected_id:
            self.clear_unavailable()
        self.set_state(self.state.with_selection(message.approval_id))
        self.add_class(READING_CLASS)
        self.query_one(ApprovalDetail).focus()
        self._fetch_soon()
        self.draw()

    @on(Sheet.Scrolled)
    def _scrolled(self) -> None:
        if self.is_ready:
            self.draw_messages()

    def action_approve(self) -> None:
        """Open the panel that approves the marked or selected requests, or say why not."""
        if self.state.marks:
            self.answer_flow.open(partial(BatchApprovePanel, self.context, self.state))
        else:
            self._open(fmt("Approve"), ApprovePanel, self.approval_blocker())

    def action_deny(self) -> None:
        """Open the panel that denies the marked or selected requests, or say why it can't open."""
        if self.state.marks:
            self.answer_flow.open(partial(BatchDenyPanel, self.context, self.state))
        else:
            self._open(fmt("Deny"), DenyPanel, answer_blocker(*self._blocker_args))

    def action_narrow(self) -> None:
        """Open the panel that narrows the request, or say why it can't open."""
        self._open(fmt("Approve with limits"), NarrowPanel, narrowing_blocker(*self._blocker_args))

    def action_standing_grant(self) -> None:
        """Open the panel that creates a standing grant, or say why it can't open."""
        self._open(
            fmt("Approve similar"), StandingGrantPanel, standing_grant_blocker(*self._blocker_args)
        )

    def action_report(self) -> None:
        """Open the panel that reports the request, or say why it can't open."""
        self._open(fmt("Report"), ReportPanel, report_blocker(*self._blocker_args))

    def action_open_elsewhere(self) -> None:
        """Show the link to the selected request's page, or say why it is unavailable."""
        self._open(fmt("Open on a phone"), OpenElsewherePanel, answer_blocker(*self._blocker_args))

    def action_undo_denial(self) -> None:
        """Undo the waiting action or the latest denial before it is sent."""
        self.answer_flow.undo_denial()

    def action_toggle_raw(self) -> None:
        """Switch between the signed texts and the details."""
        self.query_one(ApprovalDetail).toggle_raw()

    def action_extend(self) -> None:
        """Extend the selected request, or say why that is unavailable."""
        self._act(fmt("Extend"), answer_blocker, self._request_actions.extend)

    def action_withdraw(self) -> None:
        """Withdraw the user's approval of the selected request, or say why they can't."""
        self._act(fmt("Withdraw"), withdrawal_blocker, self._request_actions.withdraw)

    def action_retry(self) -> None:
        """Ask the agent of the expired request to retry, or say why that is unavailable."""
        self._act(fmt("Retry"), retry_blocker, self._request_actions.retry)

    def action_snooze(self) -> None:
        """Snooze the selected request, or end its snooze."""
        action = partial(self._request_actions.snooze, attention=self.state.attention)
        self._act(fmt("Snooze"), answer_blocker, action)

    def action_mute(self) -> None:
        """Mute the agent of the selected request, or unmute it."""
        self._act(fmt("Mute"), answer_blocker, self._mute_action)

    def action_agent_history(self) -> None:
        """Show earlier requests of the selected request's agent."""
        approval = self.state.current
        if approval is None:
            self.show_unavailable(fmt("Agent history"), fmt("nothing is selected."))
        else:
            self.app.push_screen(
                HistoryPage(self.page_context, agent_query(approval.agent, self.context.now()))
            )

    def action_next_waiting(self) -> None:
        """Select the next request that waits for the user; after the last, start over."""
        next_id = self.state.next_waiting(self.context.now())
        if next_id is None:
            self.show_message(fmt("No other request is waiting for you."))
            return
        self.set_state(self.state.with_selection(next_id))
        self.clear_unavailable()
        self._fetch_soon()

    def action_copy_fact(self) -> None:
        """Choose a fact of the selected request and copy its value."""
        choose_fact(self.app, self.state.current, self.show_message)

    def action_copy_id(self) -> None:
        """Copy the selected request's ID."""
        self.show_message(copy_id(self.app, self.state.current))

    def action_copy_link(self) -> None:
        """Copy the link to the selected request's page."""
        self.show_message(copy_link(self.app, self.state.current, self.context))

    def action_unfold(self) -> None:
        """Expand or collapse the requests that look alike."""
        fold = self.state.selected_fold(self.context.now())
        if fold is None or fold.count == 1:
            self.show_message(fmt("No other requests look like this one."))
        else:
            self.set_state(self.state.with_fold_toggled())

    def action_mark(self) -> None:
        """Mark or unmark the requests in the selected row, or say why they can't be marked."""
        self._apply_marks(*marking.toggle_mark(self.state, self._answer_context))

    def action_mark_all(self) -> None:
        """Mark all requests that can be answered together with the selected one, or unmark all."""
        self._apply_marks(*marking.toggle_all(self.state, self._answer_context))

    @on(CheckboxClicked)
    def _checkbox_clicked(self, message: CheckboxClicked) -> None:
        state = self.state.with_selection(message.approval_id)
        self._apply_marks(*marking.toggle_mark(state, self._answer_context))

    def action_refresh(self) -> None:
        """Reload from the server and sort the list."""
        self.show_message(LOADING)
        self._calls.load(in_order=True)

    def action_lock(self) -> None:
        """Lock the app."""
        self.context.answers.lock()
        self.show_message(fmt("Locked. The next approval requires your PIN."))

    def help_title(self) -> SafeText:
        """Return the title of the help."""
        return fmt("KEYS IN THE INBOX")

    def help_rows(self) -> Rows:
        """Return the keys of the inbox."""
        return INBOX_HELP

    def action_filter(self) -> None:
        """Open the filter line."""
        self._query_before = self.state.query
        self.query_one(FilterLine).open(self.state.query.text)

    @on(FilterLine.Applied)
    def _filter_applied(self, message: FilterLine.Applied) -> None:
        """Apply the filter while it is typed; on Enter, report an invalid one."""
        try:
            self.set_state(self.state.with_query(self.read_filter(message)))
        except ValueError as error:
            if message.is_done:
                self.set_state(self.state.with_query(self._query_before))
                self.show_message(fmt("Filter: {}.", display_safe(str(error))))
        if message.is_done:
            self.context.guard.arm()
            self._fetch_soon()
            self.query_one(ApprovalList).focus()

    def action_back(self) -> None:
        """Go back from reading to the list, or clear the filter."""
        if not self.has_class(READING_CLASS) and self.state.query:
            self._select(self.state.with_query(NO_QUERY))
        self.remove_class(READING_CLASS)
        self.query_one(ApprovalList).focus()
        self.draw()

    def action_leave(self) -> None:
        """Quit after sending the waiting answers; a second call quits immediately."""
        self.answer_flow.leave()

    def approval_blocker(self) -> SafeText:
        """Return why the selected request cannot be approved; empty if it can."""
        return approval_blocker(*self._blocker_args)

    def _apply_marks(self, state: InboxState, message_text: SafeText) -> None:
        self.set_state(state)
        self.show_message(message_text)

    def _open(self, verb: SafeText, panel: type[Panel], reason: SafeText) -> None:
        approval = self.state.current
        if reason or approval is None:
            self.show_unavailable(verb, reason)
        else:
            self.answer_flow.open(partial(panel, self.context, self.state, approval))

    def _act(
        self, verb: SafeText, blocker: Blocker, action: Callable[[Approval], QuickAction]
    ) -> None:
        """Run an action that needs no panel, or say why it is unavailable."""
        approval = self.state.current
        reason = blocker(*self._blocker_args)
        if reason or approval is None:
            self.show_unavailable(verb, reason)
        else:
            self.answer_flow.act(action(approval))

    def _mute_action(self, approval: Approval) -> QuickAction:
        agent = approval.agent
        return self._request_actions.mute(agent.id, agent.name, self.state.attention)

    @property
    def _blocker_args(self) -> tuple[InboxState, Approval | None, AnswerContext]:
        return self.state, self.state.current, self._answer_context
