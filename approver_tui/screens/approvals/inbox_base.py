"""The base of the inbox screen: its state, updated by messages from threads, and drawing it.

Owns: the state, the calls, the clock. Never: moves selection or focus because something arrived.
"""

from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from approver_tui.attention.event_alerts import alert_for_event
from approver_tui.client import errors
from approver_tui.client.notifications.feed import ASLEEP
from approver_tui.screens import refusals, thread_messages
from approver_tui.screens.approvals.answer_flow import AnswerFlow
from approver_tui.screens.approvals.calls import Calls
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.inbox_view import InboxView, InboxWidgets
from approver_tui.screens.approvals.marking import lost_marks_text
from approver_tui.screens.approvals.reasons import AnswerContext
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keyed_screen import KeyedScreen
from approver_tui.screens.notifications.news import AT_ONCE, ending_soon, news
from approver_tui.screens.page import Page, PageContext
from approver_tui.screens.pages import PAGE_CLASSES
from approver_tui.screens.panel import TICK
from approver_tui.screens.request_actions import RequestActions
from approver_tui.screens.safe_focus import focus_back
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.countdown import stage_reached
from approver_tui.state.notifications.connection import Connection, Phase
from approver_tui.state.notifications.events import Event, EventName
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.approvals.approval_list import ApprovalList
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines, StatusLine
from approver_tui.widgets.top_bar import TopBar

_LOAD_AGAIN = 3.0
_COUNT_AGAIN = 30.0
_LOOK_AFTER = 0.3
_KEEP_EVERY = 300.0
"""How often, in seconds, the list is fetched again to store it for an offline start."""
_TO_READ = 3.0
"""How long, in seconds, a message about the user's action stays before other news."""
_NARROW = "-narrow"
READING = "-reading"
"""The class of the screen while the selected request is open."""


class InboxBase(KeyedScreen):
    """The state, with bar, list, detail, status and keys."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self.context = context
        self.state = InboxState(selected=context.environment.opens_at)
        self._status = self._later = SafeText("")
        self._off = SafeText("")
        """Why a key did nothing, while that request is selected."""
        self._lost: tuple[Approval, ...] = ()
        """Requests that lost their mark and were not reported yet."""
        self._stands_until = self._said_at = 0.0
        self._is_listening = self._has_heard = False
        self._retry: Timer | None = None
        self._keys_drawn_for: tuple[object, ...] = ()
        self._ticked_at = self._warned_at = context.now()
        self._calls = Calls(context, self)
        self.answering = AnswerFlow(self, self._calls)
        self._arranging = RequestActions(context, self.post_message)

    def compose(self) -> ComposeResult:
        """Lay out bar, warnings, list and details, status and keys."""
        yield TopBar()
        yield NoticeLines(id="notices")
        with Horizontal(id="body"):
            yield ApprovalList(id="list")
            with Vertical(id="reading"):
                yield ApprovalDetail(self.context.zone, self.context.keys, id="detail")
                yield CachedLine(id="more")
        yield FilterLine()
        yield NoticeLines(id="others")
        yield StatusLine()
        yield KeyBar()

    def on_mount(self) -> None:
        """Load from the server, follow the feed, start the clock."""
        self.context.guard.arm()
        self.state = replace(self.state, unsent=self.context.unsent_denials.unsent())
        self._calls.recall()
        if self.context.environment.login:
            self._calls.count_elsewhere()
        self.set_interval(TICK, self.tick)
        self.set_interval(_KEEP_EVERY, self._keep)
        self.draw()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._calls.stop()

    # Messages from threads.

    @on(thread_messages.Loaded)
    def _loaded(self, message: thread_messages.Loaded) -> None:
        if not self._is_listening:
            self._is_listening = True
            self._calls.listen(message.page.feed_cursor)
        self._stop_asking()
        self._calls.attend()
        unlisted = self.state.unlisted(message.page, self.context.now())
        self._select(self.state.loaded(message.me, message.page, in_order=message.in_order))
        for approval_id in unlisted:
            self._calls.look(approval_id)

    @on(thread_messages.LastKnownLoaded)
    def _remembered(self, message: thread_messages.LastKnownLoaded) -> None:
        """Show the last known list until the server returns the current one."""
        self._select(self.state.remembered(message.value))

    @on(thread_messages.OtherLoginsCounted)
    def _counted(self, message: thread_messages.OtherLoginsCounted) -> None:
        """Show the counts of the other servers; they are fetched again later."""
        elsewhere = self.state.elsewhere.counted(message.value, self.context.now())
        self.change(replace(self.state, elsewhere=elsewhere))
        self.set_timer(_COUNT_AGAIN, self._calls.count_elsewhere)

    @on(thread_messages.AccountLoaded)
    def _known_as(self, message: thread_messages.AccountLoaded) -> None:
        self.change(replace(self.state, me=message.me))

    @on(thread_messages.LoadFailed)
    def _load_failed(self, message: thread_messages.LoadFailed) -> None:
        """A call failed; one that was checking an outcome is repeated."""
        is_over = isinstance(message.error, errors.LoginFirst)
        if not is_over and not self.answering.is_checking:
            self.say(refusals.problem(message.error))
        if is_over or not self._is_listening:
            reason = display_safe(str(message.error), max_len=100)
            phase = Phase.SIGNED_OUT if is_over else Phase.OFFLINE
            self.change(self.state.connected(Connection(phase, self.context.now(), reason)))

    @on(thread_messages.ListFailed)
    def _list_failed(self, message: thread_messages.ListFailed) -> None:
        """Reload the list until that works; the feed alone would not bring what was missed."""
        self._load_failed(message)
        self.change(self.state.behind())
        if not isinstance(message.error, errors.LoginFirst):
            again = partial(self._calls.load, in_order=message.in_order)
            self._stop_asking()
            self._retry = self.set_timer(_LOAD_AGAIN, again)

    @on(thread_messages.FeedProblem)
    def _puzzled(self, message: thread_messages.FeedProblem) -> None:
        """Reload the list, because it may have what the feed could not decode."""
        self.say(message.problem)
        self._calls.load(in_order=False)

    @on(thread_messages.ApprovalFetched)
    def _seen(self, message: thread_messages.ApprovalFetched) -> None:
        self.change(self.state.seen(message.approval))

    @on(thread_messages.ApprovalUnverified)
    def _doubted(self, message: thread_messages.ApprovalUnverified) -> None:
        self.change(self.state.doubted(message.unverified))

    @on(thread_messages.EventReceived)
    def _heard(self, message: thread_messages.EventReceived) -> None:
        event = message.event
        alert_for_event(self.context.notifier, event)
        self._has_heard = True
        state = self.state if event.device is None else self.state.on_device(event.device)
        is_news = not self._is_known(event)
        if event.approval is not None and event.name is EventName.REQUESTED:
            state = state.asked(event.approval)
        elif event.approval is not None:
            state = state.seen(event.approval)
        elif event.name in {EventName.DEPUTY_NAMED, EventName.DEPUTY_ENDED}:
            self._calls.load(in_order=False)
        elif event.name is EventName.ATTENTION:
            self._calls.attend()
        if state.selected != self.state.selected:
            self.context.guard.arm()
        self.change(state)
        text = news(event, self.context.zone, is_narrow=self._is_narrow)
        if text and event.name in AT_ONCE:
            self.say(text)
        elif text and is_news and not self._lost:
            self._later = text
        self._tell()

    def _is_known(self, event: Event) -> bool:
        """Whether this app has already reported the outcome, because it was answered here."""
        approval = event.approval
        row = None if approval is None else self.state.inbox.find(approval.id)
        return event.name is EventName.DECIDED and row is not None and row.decided is not None

    @on(thread_messages.ConnectionChanged)
    def _reconnected(self, message: thread_messages.ConnectionChanged) -> None:
        was_live = self.state.connection.is_live
        self.change(self.state.connected(message.connection))
        if message.connection.is_live and not was_live:
            self._calls.load(in_order=False)

    @on(thread_messages.FeedResynced)
    def _resynced(self) -> None:
        self.change(self.state.behind())
        self._calls.load(in_order=False)

    @on(thread_messages.AnswerAccepted)
    def _answered(self, message: thread_messages.AnswerAccepted) -> None:
        self.answering.over(message.approval)

    @on(thread_messages.NotificationPrefsLoaded)
    def _attended(self, message: thread_messages.NotificationPrefsLoaded) -> None:
        self.change(replace(self.state, attention=message.value))

    @on(thread_messages.AnswerRefused)
    def _refused(self, message: thread_messages.AnswerRefused) -> None:
        self.answering.refused(message)

    def _select(self, state: InboxState) -> None:
        """Set a state in which another request may be selected."""
        before = self.state.selected
        self.change(state)
        if state.selected != before:
            self.context.guard.arm()
            self.forget_off()
            self._look_soon()

    def tick(self) -> None:
        """Send denials that are due, check unknown outcomes, and draw the time."""
        self.note_sleep()
        if self.context.guard.is_deserted:
            focus_back(self.app, forgetting=True)
        self.answering.tick()
        self.context.notifier.tick()
        self._take(self.state.fresh(self.context.feed.heard_at))
        self._warn()
        self._settle()
        self._tell()
        self.draw()
        self._tell_pages()

    def _keep(self) -> None:
        """Store what the feed brought, for an offline start."""
        if self._has_heard and self.state.connection.is_live:
            self._has_heard = False
            self._calls.load(in_order=False)

    def _settle(self) -> None:
        """Report unsent denials while their requests wait, and once when they end."""
        self.state, over = self.state.settled(self.context.now())
        self.context.unsent_denials.drop({each.approval_id for each in over})
        for each in over:
            row = self.state.inbox.find(each.approval_id)
            if row is None or row.decided is None:
                self.say(say("Closed without your denial: {}", each.headline))

    def _warn(self) -> None:
        """Announce the last minute and the last twenty seconds, once each."""
        before, self._warned_at = self._warned_at, self.context.now()
        near = stage_reached(self.state.inbox.rows, before, self._warned_at)
        if near is not None:
            self.say(ending_soon(*near))

    def note_sleep(self) -> None:
        """After a sleep of the machine, ignore input for a moment and reload everything."""
        now = self.context.now()
        if now - self._ticked_at > ASLEEP:
            self.context.guard.arm()
            focus_back(self.app, forgetting=True)
            if self.state.connection.is_live:
                self.state = self.state.behind()
                self._calls.load(in_order=False)
        self._ticked_at = now

    def _stop_asking(self) -> None:
        if self._retry is not None:
            self._retry.stop()
            self._retry = None

    def draw_widgets(self) -> None:
        """Update all widgets."""
        view = InboxView(
            context=self.context,
            state=self.state,
            denial=self.answering.latest,
            is_narrow=self._is_narrow,
            is_reading=self.has_class(READING),
        )
        view.draw_on(self._widgets, self.size.height)
        if (basis := view.keys_basis) != self._keys_drawn_for:
            self._keys_drawn_for = basis
            self._widgets.keys.show(view.keys())
        self.draw_notices()
        self.draw_news()

    @cached_property
    def _widgets(self) -> InboxWidgets:
        return InboxWidgets.of(self)

    def draw_news(self) -> None:
        """Show the last message, or the waiting denial, and how much is below."""
        denial, ticks = self.answering.latest, self.context.ticks()
        if denial is not None:
            left, what = denial.seconds_left(ticks), denial.approval.headline
            key = self.context.keys.key("take_back")
            words = say("Denying in {} s, {} to undo: {}", left, key, what)
            self.draw_status(words, said_at=ticks)
        else:
            is_under_way = bool(self.state.doing)
            self.draw_status(self._status, said_at=ticks if is_under_way else self._said_at)
        self.draw_more(self._widgets.detail.rows_below)

    def change(self, state: InboxState) -> None:
        """Replace the state, here and on the screens above."""
        self._take(state)
        self.draw()
        self.answering.state_changed(self.state)
        self._tell_pages()

    def _take(self, state: InboxState) -> None:
        """Drop the marks of requests that changed since they were marked."""
        lost = state.lost_marks(self.context.now())
        self._lost += lost
        self.state = state.without_marks({each.id for each in lost}) if lost else state

    def say(self, text: SafeText) -> None:
        """Show the result of an action or an alarm, and keep it for a while."""
        self._stands_until = self.context.ticks() + _TO_READ
        self._show(text)

    def _tell(self) -> None:
        """Show lost marks, and the latest news, after the last message could be read."""
        if self.context.ticks() < self._stands_until:
            return
        if self._lost:
            lost, self._lost = self._lost, ()
            self.say(lost_marks_text(lost, self.state, self._moment))
        elif self._later:
            text, self._later = self._later, SafeText("")
            self._show(text)

    def say_off(self, verb: SafeText, reason: SafeText) -> None:
        """Say why a key does nothing for the selected request."""
        self._off = say("{} unavailable: {}", verb, reason)
        self.say(self._off)

    def forget_off(self) -> None:
        """Clear that message, because another request is selected."""
        if self._off and self._status == self._off:
            self._show(SafeText(""))

    def _show(self, text: SafeText) -> None:
        self._status, self._said_at = text, self.context.ticks()
        if self.is_ready:
            self.draw_news()
        for page in self._pages:
            page.say(text)

    def page(self, number: int) -> Page[Any]:
        """Return a new page; 2 is the first one after the inbox."""
        return PAGE_CLASSES[number - 2](self.page_context)

    @property
    def page_context(self) -> PageContext:
        """Return what a new page gets."""
        return PageContext(self.context, self.state, self.answering.open, self.post_message)

    def _tell_pages(self) -> None:
        for page in self._pages:
            page.state_changed(self.state)

    @property
    def _pages(self) -> list[Page[Any]]:
        return [screen for screen in self.app.screen_stack if isinstance(screen, Page)]

    def _look_soon(self) -> None:
        """Fetch the selected request once the selection rests; the server marks it as seen."""
        self.set_timer(_LOOK_AFTER, partial(self._look_if_still, self.state.selected))

    def _look_if_still(self, approval_id: str | None) -> None:
        if approval_id is not None and approval_id == self.state.selected:
            self._calls.look(approval_id)

    @property
    def _is_narrow(self) -> bool:
        return self.has_class(_NARROW)

    @property
    def _moment(self) -> AnswerContext:
        return AnswerContext.at(self.context)
