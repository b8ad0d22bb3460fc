"""The inbox: the list on the left and the current request on the right, or only one of the two.

Owns: the keys of the inbox, opening panels. Never: the state, which the base class has; moving the
selection or the focus because something arrived.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from approver_tui.messages import CheckboxClicked, CursorMoved, Opened
from approver_tui.screens.approvals import selecting
from approver_tui.screens.approvals.approve import ApprovePanel
from approver_tui.screens.approvals.batch import BatchApprovePanel, BatchDenyPanel
from approver_tui.screens.approvals.blockers import BLOCKERS, approval_blocker
from approver_tui.screens.approvals.copying import CopyingScreen
from approver_tui.screens.approvals.deny import DenyPanel
from approver_tui.screens.approvals.history import HistoryPage, agent_query
from approver_tui.screens.approvals.inbox_base import InboxBase
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.narrow import NarrowPanel
from approver_tui.screens.approvals.open_elsewhere import OpenElsewherePanel
from approver_tui.screens.incidents.report import ReportPanel
from approver_tui.screens.keyed_screen import READING_CLASS
from approver_tui.screens.keys import INBOX_HELP, Rows, bindings
from approver_tui.screens.panel import Panel
from approver_tui.screens.request_actions import QuickAction
from approver_tui.screens.standing_grants.grant import StandingGrantPanel
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.queries import NO_QUERY
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import LOADING

_PANELS: Mapping[str, tuple[SafeText, type[Panel]]] = {
    "approve": (fmt("Approve"), ApprovePanel),
    "deny": (fmt("Deny"), DenyPanel),
    "narrow": (fmt("Approve with limits"), NarrowPanel),
    "standing_grant": (fmt("Approve similar"), StandingGrantPanel),
    "report": (fmt("Report"), ReportPanel),
    "open_on_phone": (fmt("Open on a phone"), OpenElsewherePanel),
}
"""The verb and the panel of each action in KEYS that opens one for the current request."""
_BATCH_PANELS: Mapping[str, type[BatchApprovePanel | BatchDenyPanel]] = {
    "approve": BatchApprovePanel,
    "deny": BatchDenyPanel,
}
"""The panels that open instead if any requests are selected."""
_QUICK_ACTIONS = ("withdraw", "extend", "retry", "snooze", "mute")


class InboxScreen(InboxBase, CopyingScreen):
    """The first screen, at the bottom of the screen stack."""

    NAME = "the inbox"
    AUTO_FOCUS = "#list"
    _query_before = NO_QUERY
    """The filter to restore if the one that is being typed is invalid."""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"app.go({number})", show=False) for number in range(2, 7)),
        *bindings(**{name: f"open_panel('{name}')" for name in _PANELS}),
        *bindings(**{name: f"act('{name}')" for name in _QUICK_ACTIONS}),
        *bindings(
            "agent_history lock filter select select_all",
            undo="undo_denial",
            details="toggle_raw",
            expand="unfold",
            next="next_waiting",
        ),
    ]

    @property
    def current(self) -> Approval | None:
        """The request under the cursor, if any."""
        return self.state.current

    @on(CursorMoved)
    def _cursor_moved(self, message: CursorMoved) -> None:
        self.set_state(self.state.with_cursor(message.approval_id))
        self.clear_unavailable()
        if not self.is_narrow:
            self._fetch_soon()

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        if message.approval_id != self.state.cursor_id:
            self.clear_unavailable()
        self.set_state(self.state.with_cursor(message.approval_id))
        self.add_class(READING_CLASS)
        self.details.focus()
        self._fetch_soon()
        self.draw()

    def action_open_panel(self, name: str) -> None:
        """Open a panel for the selection or for the current request, or say why not."""
        if self.state.selection and name in _BATCH_PANELS:
            self.answer_flow.open(partial(_BATCH_PANELS[name], self.context, self.state))
            return
        verb, panel = _PANELS[name]
        approval = self._check(name, verb)
        if approval is not None:
            self.answer_flow.open(partial(panel, self.context, self.state, approval))

    def action_act(self, name: str) -> None:
        """Run an action that needs no panel on the current request, or say why not."""
        approval = self._check(name, SafeText(name.capitalize()))
        if approval is not None:
            self.answer_flow.act(self._quick_actions[name](approval))

    def action_undo_denial(self) -> None:
        """Undo the waiting action or the latest denial before it is sent."""
        self.answer_flow.undo_denial()

    def action_toggle_raw(self) -> None:
        """Switch between the signed texts and the details."""
        self.details.toggle_raw()

    def action_agent_history(self) -> None:
        """Show earlier requests of the current request's agent."""
        approval = self.current
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
        self.set_state(self.state.with_cursor(next_id))
        self.clear_unavailable()
        self._fetch_soon()

    def action_unfold(self) -> None:
        """Expand or collapse the requests that look alike."""
        fold = self.state.cursor_fold(self.context.now())
        if fold is None or fold.count == 1:
            self.show_message(fmt("No other requests look like this one."))
        else:
            self.set_state(self.state.with_fold_toggled())

    def action_select(self) -> None:
        """Select or deselect the row under the cursor, or say why it can't be selected."""
        self._apply_selection(*selecting.toggle_row(self.state, self.context))

    def action_select_all(self) -> None:
        """Select all requests that can be answered together with this one, or deselect all."""
        self._apply_selection(*selecting.toggle_all(self.state, self.context))

    @on(CheckboxClicked)
    def _checkbox_clicked(self, message: CheckboxClicked) -> None:
        state = self.state.with_cursor(message.approval_id)
        self._apply_selection(*selecting.toggle_row(state, self.context))

    def action_refresh(self) -> None:
        """Reload from the server and sort the list."""
        self.show_message(LOADING)
        self._calls.load(in_order=True)

    def action_lock(self) -> None:
        """Lock the app."""
        self.context.answers.lock()
        self.show_message(fmt("Locked. The next approval requires your PIN."))

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
            self.rows.focus()

    def action_back(self) -> None:
        """Go back from reading to the list, or clear the filter."""
        if not self.is_reading and self.state.query:
            self._select(self.state.with_query(NO_QUERY))
        self.remove_class(READING_CLASS)
        self.rows.focus()
        self.draw()

    def action_leave(self) -> None:
        """Quit after sending the waiting answers; a second call quits immediately."""
        self.answer_flow.leave()

    def approval_blocker(self) -> SafeText:
        """Return why the current request cannot be approved; empty if it can."""
        return approval_blocker(self.state, self.current, self.context)

    def _apply_selection(self, state: InboxState, message_text: SafeText) -> None:
        self.set_state(state)
        self.show_message(message_text)

    def _check(self, name: str, verb: SafeText) -> Approval | None:
        """Return the current request, or say why the action is unavailable and return None."""
        approval = self.current
        reason = BLOCKERS[name](self.state, approval, self.context)
        if reason or approval is None:
            self.show_unavailable(verb, reason)
            return None
        return approval

    @property
    def _quick_actions(self) -> Mapping[str, Callable[[Approval], QuickAction]]:
        actions, prefs = self._request_actions, self.state.prefs
        return {
            "withdraw": actions.withdraw,
            "extend": actions.extend,
            "retry": actions.retry,
            "snooze": partial(actions.snooze, prefs=prefs),
            "mute": lambda approval: actions.mute(approval.agent.id, approval.agent.name, prefs),
        }
