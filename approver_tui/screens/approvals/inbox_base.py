"""The base of the inbox screen: holds the state, applies messages from threads, and draws.

Owns: the state, the calls, the clock. Never: moving the selection or the focus because something
arrived.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from textual.timer import Timer
from textual.widget import Widget

from approver_tui.attention.notifier import handle_event_alert
from approver_tui.client import errors
from approver_tui.client.notifications.feed import SLEEP_GAP_MS
from approver_tui.client.wire import Page as WaitingPage
from approver_tui.screens import refusals
from approver_tui.screens.approvals.answer_flow import AnswerFlow
from approver_tui.screens.approvals.calls import Calls
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.inbox_view import InboxView
from approver_tui.screens.approvals.selecting import changed_selection_text
from approver_tui.screens.button_panel import TICK
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keyed_screen import KeyedScreen
from approver_tui.screens.notifications.news import URGENT_EVENTS, ending_soon, event_text
from approver_tui.screens.page import Page, PageContext
from approver_tui.screens.pages import PAGE_CLASSES, open_pages
from approver_tui.screens.request_actions import RequestActions
from approver_tui.screens.safe_focus import reset_panels
from approver_tui.state.approvals.approvals import Approval, Unverified
from approver_tui.state.approvals.countdown import stage_reached
from approver_tui.state.devices.devices import Me
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.notifications.other_logins import counts_after_query
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.approvals.approval_list import ApprovalList
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import LOADING, NoticeLines
from approver_tui.widgets.notifications.other_logins import other_logins_line

_RELOAD_DELAY = 3.0
_COUNT_INTERVAL = 30.0
_FETCH_DELAY = 0.3
_SAVE_INTERVAL = 300.0
"""How often, in seconds, the list is fetched again to store it for an offline start."""
_MIN_ROWS_FOR_LOGINS = 20
"""A screen with fewer rows does not show the counts of other logins."""
_MESSAGE_SECONDS = 3.0
"""How many seconds a message about the user's action stays before news may replace it."""


class InboxBase(KeyedScreen):
    """The state, and the widgets that show it."""

    rows: ApprovalList
    details: ApprovalDetail

    def __init__(self, context: ScreenContext) -> None:
        super().__init__(ApprovalList(id="list"), ApprovalDetail(id="detail"))
        self._others_line = NoticeLines(id="others")
        self.context = context
        self.state = InboxState(cursor_id=context.environment.initial_request)
        self._status = self._pending_news = SafeText("")
        self._unavailable_text = SafeText("")
        """Why a key did nothing for the current request."""
        self._changed_selection: tuple[Approval, ...] = ()
        """Requests that are no longer selected, not yet announced to the user."""
        self._message_until = self._message_at = 0.0
        self._is_listening = self._has_new_events = False
        self._is_hidden = False
        """Whether another program, such as the user's editor, has the terminal."""
        self._retry_timer: Timer | None = None
        self._keys_drawn_for: tuple[object, ...] = ()
        self._last_tick_at = self._last_warning_at = context.now()
        self._calls = Calls(context, self)
        self.answer_flow = AnswerFlow(self, self._calls)
        self._request_actions = RequestActions(
            context,
            show_approval=partial(self.call_later, self.set_approval),
            show_prefs=partial(self.call_later, self.set_prefs),
        )

    def widgets_below(self) -> Iterable[Widget]:
        """Return the filter line and the counts of other logins."""
        return FilterLine(self.context.environment.filters), self._others_line

    def on_mount(self) -> None:
        """Start loading the list, and start the timers."""
        self.context.guard.arm()
        self.state = replace(self.state, unsent=self.context.unsent_denials.load())
        self._calls.load_last_known()
        self.app.app_suspend_signal.subscribe(self, lambda _app: self._set_hidden(is_hidden=True))
        self.app.app_resume_signal.subscribe(self, lambda _app: self._set_hidden(is_hidden=False))
        if self.context.environment.login:
            self._calls.count_other_logins()
        self.set_interval(TICK, self.tick)
        self.set_interval(_SAVE_INTERVAL, self._save_list)
        self.draw()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._calls.stop()

    # Results of calls to the server, and news from the feed.

    def show_list(self, me: Me, page: WaitingPage, in_order: bool) -> None:  # noqa: FBT001  # a result
        """Show the waiting requests; `in_order` is as passed to the call."""
        if not self._is_listening:
            self._is_listening = True
            self._calls.listen(page.feed_cursor)
        self._cancel_retry()
        if self._status == LOADING:
            self._show_status(SafeText(""))
        self._calls.load_preferences()
        unlisted = self.state.missing_from(page, self.context.now())
        self._select(self.state.with_loaded(me, page, in_order=in_order))
        for approval_id in unlisted:
            self._calls.fetch_approval(approval_id)

    def show_last_known(self, page: WaitingPage) -> None:
        """Show the last known list until the server returns the current one."""
        self._select(self.state.with_last_known(page))

    def show_other_logins(self, counts: Mapping[str, int | None]) -> None:
        """Show the counts of the other servers, and schedule the next count."""
        other_logins = counts_after_query(self.state.other_logins, counts, self.context.now())
        self.set_state(replace(self.state, other_logins=other_logins))
        self.set_timer(_COUNT_INTERVAL, self._calls.count_other_logins)

    def set_account(self, me: Me) -> None:
        """Use the account, which was loaded without the list."""
        self.set_state(replace(self.state, me=me))

    def set_log_alarm(self, alarm: SafeText) -> None:
        """Show why the audit log is not trusted; empty if it is."""
        self.set_state(replace(self.state, log_alarm=alarm))

    def load_failed(self, error: errors.ClientError) -> None:
        """Show the error, unless an outcome is being checked, because that is repeated."""
        is_signed_out = isinstance(error, errors.LoginFirst)
        if not is_signed_out and not self.answer_flow.is_checking:
            self.show_message(refusals.problem(error))
        if is_signed_out or not self._is_listening:
            reason = display_safe(str(error), max_len=100)
            phase = Phase.SIGNED_OUT if is_signed_out else Phase.OFFLINE
            self.set_state(
                self.state.with_connection(Connection(phase, self.context.now(), reason))
            )

    def list_failed(self, error: errors.ClientError, in_order: bool) -> None:  # noqa: FBT001  # a result
        """Retry until the list loads, because the feed does not bring what was missed."""
        self.load_failed(error)
        self.set_state(replace(self.state, is_incomplete=True))
        if not isinstance(error, errors.LoginFirst):
            reload = partial(self._calls.load, in_order=in_order)
            self._cancel_retry()
            self._retry_timer = self.set_timer(_RELOAD_DELAY, reload)

    def feed_problem(self, problem: SafeText) -> None:
        """Reload the list, because the feed may have failed to decode one of its requests."""
        self.show_message(problem)
        self._calls.load(in_order=False)

    def set_approval(self, approval: Approval) -> None:
        """Use the server's copy of an approval."""
        self.set_state(self.state.with_approval(approval))

    def set_unverified(self, row: Unverified) -> None:
        """Block a request whose copy from the server failed verification."""
        self.set_state(self.state.with_unverified(row))

    def set_prefs(self, prefs: NotificationPrefs) -> None:
        """Use the current notification settings."""
        self.set_state(replace(self.state, prefs=prefs))

    def set_connection(self, connection: Connection) -> None:
        """Show the state of the feed's connection; reload after a reconnect."""
        was_live = self.state.connection.is_live
        self.set_state(self.state.with_connection(connection))
        if connection.is_live and not was_live:
            self._calls.load(in_order=False)

    def feed_resynced(self) -> None:
        """Reload the list, because the feed lost its position."""
        self.set_state(replace(self.state, is_incomplete=True))
        self._calls.load(in_order=False)

    def handle_event(self, event: Event) -> None:
        """Apply an event of the feed, alert for it, and show it as news."""
        handle_event_alert(self.context.notifier, event)
        for page in open_pages(self.app):
            page.event_received(event)
        self._has_new_events = True
        state = self.state if event.device is None else self.state.with_device(event.device)
        is_news = not self._is_known_outcome(event)
        if event.approval is not None and event.name is EventName.REQUESTED:
            state = state.with_request(event.approval)
        elif event.approval is not None:
            state = state.with_approval(event.approval)
        elif event.name in {EventName.DEPUTY_NAMED, EventName.DEPUTY_ENDED}:
            self._calls.load(in_order=False)
        elif event.name is EventName.ATTENTION:
            self._calls.load_preferences()
        if state.cursor_id != self.state.cursor_id:
            self.context.guard.arm()
        self.set_state(state)
        self._announce(event, is_news=is_news)

    def _announce(self, event: Event, *, is_news: bool) -> None:
        text = event_text(event, self.context.zone)
        if text and event.name in URGENT_EVENTS:
            self.show_message(text)
        elif text and is_news and not self._changed_selection:
            self._pending_news = text
        self._show_pending()

    def _is_known_outcome(self, event: Event) -> bool:
        """Whether this app already showed the outcome of the event's request."""
        approval = event.approval
        row = None if approval is None else self.state.inbox.find(approval.id)
        return event.name is EventName.DECIDED and row is not None and row.decision is not None

    def _select(self, state: InboxState) -> None:
        """Set a state that may have the cursor on a different request."""
        before = self.state.cursor_id
        self.set_state(state)
        if state.cursor_id != before:
            self.context.guard.arm()
            self.clear_unavailable()
            self._fetch_soon()

    def tick(self) -> None:
        """Do the periodic work: send due denials, check outcomes, alert, and draw the time."""
        self.check_sleep()
        if self.context.guard.is_user_away:
            reset_panels(self.app, clear_secrets=True)
        self.answer_flow.tick()
        self.context.notifier.tick()
        self._replace_state(self.state.with_contact(self.context.feed.last_contact_at))
        self._announce_expiring()
        self._report_ended_denials()
        self._show_pending()
        self.draw()
        for page in open_pages(self.app):
            page.state_changed(self.state)

    def _save_list(self) -> None:
        """Fetch the list, if events arrived, so that it is stored for an offline start."""
        if self._has_new_events and self.state.connection.is_live:
            self._has_new_events = False
            self._calls.load(in_order=False)

    def _report_ended_denials(self) -> None:
        """Forget unsent denials whose requests have ended; report those that nobody decided."""
        self.state, ended_denials = self.state.without_ended_denials(self.context.now())
        self.answer_flow.forget_unsent({denial.approval_id for denial in ended_denials})
        for denial in ended_denials:
            row = self.state.inbox.find(denial.approval_id)
            if row is None or row.decision is None:
                self.show_message(fmt("Closed without your denial: {}", denial.headline))

    def _announce_expiring(self) -> None:
        """Announce once when a request's last minute starts, and once for its last 20 seconds."""
        before, self._last_warning_at = self._last_warning_at, self.context.now()
        if near := stage_reached(self.state.inbox.rows, before, self._last_warning_at):
            self.show_message(ending_soon(*near))

    def check_sleep(self) -> None:
        """After the machine slept or its clock was set, ignore input for a moment and reload."""
        now = self.context.now()
        if abs(now - self._last_tick_at) > SLEEP_GAP_MS:
            self.context.guard.arm()
            reset_panels(self.app, clear_secrets=True)
            if self.state.connection.is_live:
                self.state = replace(self.state, is_incomplete=True)
                self._calls.load(in_order=False)
        self._last_tick_at = now

    def _cancel_retry(self) -> None:
        if self._retry_timer is not None:
            self._retry_timer.stop()
            self._retry_timer = None

    def draw_widgets(self) -> None:
        """Update all widgets."""
        view = InboxView(
            context=self.context,
            state=self.state,
            can_undo=self.answer_flow.can_undo,
            is_narrow=self.is_narrow,
            is_reading=self.is_reading,
        )
        now = self.context.now()
        self.rows.show(view.list())
        self.details.show_fold(self.state.cursor_fold(now), self.state.prefs, self.context.view)
        self.top_bar.show(view.top())
        has_room = self.size.height >= _MIN_ROWS_FOR_LOGINS
        logins_line = other_logins_line(self.state.other_logins, now)
        self._others_line.show_all(logins_line if has_room else SafeText(""))
        if (basis := view.keys_basis) != self._keys_drawn_for:
            self._keys_drawn_for = basis
            self.key_bar.show(view.keys())
        self.draw_notices()
        self.draw_messages()

    def draw_messages(self) -> None:
        """Show the waiting denial or the last message, and how many lines are below."""
        ticks = self.context.ticks()
        if countdown := self.answer_flow.countdown(ticks):
            self.draw_status(countdown, shown_at=ticks)
        else:
            has_progress = bool(self.state.in_progress)
            self.draw_status(self._status, shown_at=ticks if has_progress else self._message_at)
        self.draw_more(self.details.rows_below)

    def set_state(self, state: InboxState) -> None:
        """Replace the state, draw it, and pass it to the screens above."""
        self._replace_state(state)
        self.draw()
        self.answer_flow.state_changed(self.state)
        for page in open_pages(self.app):
            page.state_changed(self.state)

    def _replace_state(self, state: InboxState) -> None:
        """Replace the state; deselect requests that changed since they were selected."""
        changed = state.changed_selection(self.context.now())
        self._changed_selection += changed
        self.state = (
            state.without_selected({approval.id for approval in changed}) if changed else state
        )

    def show_message(self, text: SafeText) -> None:
        """Show the result of an action or an alarm, and keep it for a while."""
        self._message_until = self.context.ticks() + _MESSAGE_SECONDS
        self._show_status(text)

    def _set_hidden(self, *, is_hidden: bool) -> None:
        """Keep the last message while the screen is hidden, and then for a while."""
        self._is_hidden = is_hidden
        self._message_until = self.context.ticks() + _MESSAGE_SECONDS

    def _show_pending(self) -> None:
        """Show what was deselected, or else news, once the last message was shown for a while."""
        if self._is_hidden or self.context.ticks() < self._message_until:
            return
        if self._changed_selection:
            changed, self._changed_selection = self._changed_selection, ()
            self.show_message(changed_selection_text(changed, self.state, self.context))
        elif self._pending_news:
            text, self._pending_news = self._pending_news, SafeText("")
            self._show_status(text)

    def show_unavailable(self, verb: SafeText, reason: SafeText) -> None:
        """Say why a key does nothing for the current request."""
        self._unavailable_text = fmt("{} unavailable: {}", verb, reason)
        self.show_message(self._unavailable_text)

    def clear_unavailable(self) -> None:
        """Clear the message of `show_unavailable`, because the selection changed."""
        if self._unavailable_text and self._status == self._unavailable_text:
            self._show_status(SafeText(""))

    def _show_status(self, text: SafeText) -> None:
        self._status, self._message_at = text, self.context.ticks()
        if self.is_ready:
            self.draw_messages()
        for page in open_pages(self.app):
            page.show_message(text)

    def page(self, number: int) -> Page[Any, Any]:
        """Return a new page by its number; 2 is the first page after the inbox."""
        return PAGE_CLASSES[number - 2](self.page_context)

    @property
    def page_context(self) -> PageContext:
        """The context that a new page gets."""
        return PageContext(
            self.context, self.state, self.answer_flow, self._request_actions, self.show_message
        )

    def _fetch_soon(self) -> None:
        """Fetch the request if it stays the current one; the server then marks it as seen."""
        self.set_timer(_FETCH_DELAY, partial(self._fetch_if_selected, self.state.cursor_id))

    def _fetch_if_selected(self, approval_id: str | None) -> None:
        if approval_id is not None and approval_id == self.state.cursor_id:
            self._calls.fetch_approval(approval_id)
