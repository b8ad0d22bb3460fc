"""The board on which the inbox lies: the table, kept true by what threads report, and drawn.

Owns: the table, the calls, the clock, what is drawn. Never: what a person wants; that is
`inbox.py`. Never: moves the selection or the focus because something arrived.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from approver_tui.attention.calling import call
from approver_tui.client import errors
from approver_tui.client.feed import ASLEEP
from approver_tui.screens import refusals, reports
from approver_tui.screens.answering import Answering
from approver_tui.screens.arranging import Arranging
from approver_tui.screens.calls import Calls
from approver_tui.screens.desk import Desk
from approver_tui.screens.inbox_view import InboxView
from approver_tui.screens.keyed import KeyedScreen
from approver_tui.screens.marking import lost_words
from approver_tui.screens.news import AT_ONCE, ending, news
from approver_tui.screens.page import Hall, Page
from approver_tui.screens.pages import PAGE_CLASSES
from approver_tui.screens.panel import TICK
from approver_tui.screens.reasons import Moment
from approver_tui.screens.table import Table
from approver_tui.screens.withdrawal import withdraw
from approver_tui.state.approvals import Approval
from approver_tui.state.connection import Connection, Phase
from approver_tui.state.countdown import came_near
from approver_tui.state.events import Event, EventName
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approval_detail import ApprovalDetail
from approver_tui.widgets.approval_list import ApprovalList
from approver_tui.widgets.filter_line import FilterLine
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.notice_lines import NoticeLines, StatusLine, SteadyLine
from approver_tui.widgets.top_bar import TopBar

_LOAD_AGAIN = 3.0
_COUNT_AGAIN = 30.0
_LOOK_AFTER = 0.3
_KEEP_EVERY = 300.0
"""How often, in seconds, what waits is asked for again, to keep it for a start without a server."""
_TO_READ = 3.0
"""How long, in seconds, news of other things lets a word about what the person did stand."""
_NARROW = "-narrow"
READING = "-reading"
"""The class of the screen while the chosen request is read."""


class Board(KeyedScreen):
    """The table, with bar, list, detail, status and keys."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.table = Table(selected=desk.place.opens_at)
        self._status = self._later = SafeText("")
        self._off = SafeText("")
        """Why a key did nothing, as long as that request is selected."""
        self._lost: tuple[Approval, ...] = ()
        """What lost its mark and was not said yet."""
        self._stands_until = self._said_at = 0.0
        self._is_listening = self._has_heard = False
        self._retry: Timer | None = None
        self._ticked_at = self._warned_at = desk.now()
        self._calls = Calls(desk, self)
        self.answering = Answering(self, self._calls)
        self._arranging = Arranging(desk, self.post_message)

    def compose(self) -> ComposeResult:
        """Lay out bar, warnings, list and detail, status and keys."""
        yield TopBar()
        yield NoticeLines(id="notices")
        with Horizontal(id="body"):
            yield ApprovalList(id="list")
            with Vertical(id="reading"):
                yield ApprovalDetail(self.desk.zone, self.desk.keys, id="detail")
                yield SteadyLine(id="more")
        yield FilterLine()
        yield NoticeLines(id="others")
        yield StatusLine()
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask the server, listen to the feed, look at the clock."""
        self.desk.guard.arm()
        self.table = replace(self.table, unsent=self.desk.intents.unsent())
        self._calls.recall()
        if self.desk.place.login:
            self._calls.count_elsewhere()
        self.set_interval(TICK, self.tick)
        self.set_interval(_KEEP_EVERY, self._keep)
        self.draw()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._calls.stop()

    # What threads report.

    @on(reports.Loaded)
    def _loaded(self, message: reports.Loaded) -> None:
        if not self._is_listening:
            self._is_listening = True
            self._calls.listen(message.page.feed_cursor)
        self._stop_asking()
        self._calls.attend()
        unlisted = self.table.unlisted(message.page, self.desk.now())
        self._select(self.table.loaded(message.me, message.page, in_order=message.in_order))
        for approval_id in unlisted:
            self._calls.look(approval_id)

    @on(reports.Remembered)
    def _remembered(self, message: reports.Remembered) -> None:
        """What waited when the app was last open, until the server says what waits now."""
        self._select(self.table.remembered(message.value))

    @on(reports.Counted)
    def _counted(self, message: reports.Counted) -> None:
        """What waits at other servers; asked again a while after the answer, never sooner."""
        elsewhere = self.table.elsewhere.counted(message.value, self.desk.now())
        self.change(replace(self.table, elsewhere=elsewhere))
        self.set_timer(_COUNT_AGAIN, self._calls.count_elsewhere)

    @on(reports.KnownAs)
    def _known_as(self, message: reports.KnownAs) -> None:
        self.change(replace(self.table, me=message.me))

    @on(reports.LoadFailed)
    def _load_failed(self, message: reports.LoadFailed) -> None:
        """A question failed; one whose answer settles what became of an answer is asked again."""
        is_over = isinstance(message.error, errors.LoginFirst)
        if not is_over and not self.answering.is_checking:
            self.say(refusals.problem(message.error))
        if is_over or not self._is_listening:
            reason = display_safe(str(message.error), max_len=100)
            phase = Phase.SIGNED_OUT if is_over else Phase.OFFLINE
            self.change(self.table.connected(Connection(phase, self.desk.now(), reason)))

    @on(reports.ListFailed)
    def _list_failed(self, message: reports.ListFailed) -> None:
        """What was missed is asked for until it is there; the feed alone would not bring it."""
        self._load_failed(message)
        self.change(self.table.behind())
        if not isinstance(message.error, errors.LoginFirst):
            again = partial(self._calls.load, in_order=message.in_order)
            self._stop_asking()
            self._retry = self.set_timer(_LOAD_AGAIN, again)

    @on(reports.Puzzled)
    def _puzzled(self, message: reports.Puzzled) -> None:
        """What the feed could not hand on may be in the list, marked as what it is."""
        self.say(message.problem)
        self._calls.load(in_order=False)

    @on(reports.Seen)
    def _seen(self, message: reports.Seen) -> None:
        self.change(self.table.seen(message.approval))

    @on(reports.Doubted)
    def _doubted(self, message: reports.Doubted) -> None:
        self.change(self.table.doubted(message.unverified))

    @on(reports.Heard)
    def _heard(self, message: reports.Heard) -> None:
        event = message.event
        call(self.desk.caller, event)
        self._has_heard = True
        table = self.table if event.device is None else self.table.on_device(event.device)
        is_news = not self._is_known(event)
        if event.approval is not None and event.name is EventName.REQUESTED:
            table = table.asked(event.approval)
        elif event.approval is not None:
            table = table.seen(event.approval)
        elif event.name in {EventName.DEPUTY_NAMED, EventName.DEPUTY_ENDED}:
            self._calls.load(in_order=False)
        elif event.name is EventName.ATTENTION:
            self._calls.attend()
        if table.selected != self.table.selected:
            self.desk.guard.arm()
        self.change(table)
        text = news(event, self.desk.zone, is_narrow=self._is_narrow)
        if text and event.name in AT_ONCE:
            self.say(text)
        elif text and is_news and not self._lost:
            self._later = text
        self._tell()

    def _is_known(self, event: Event) -> bool:
        """Tell whether this app has said already how it ended: by an answer given here."""
        approval = event.approval
        row = None if approval is None else self.table.inbox.find(approval.id)
        return event.name is EventName.DECIDED and row is not None and row.decided is not None

    @on(reports.Reconnected)
    def _reconnected(self, message: reports.Reconnected) -> None:
        was_live = self.table.connection.is_live
        self.change(self.table.connected(message.connection))
        if message.connection.is_live and not was_live:
            self._calls.load(in_order=False)

    @on(reports.Resynced)
    def _resynced(self) -> None:
        self.change(self.table.behind())
        self._calls.load(in_order=False)

    @on(reports.Answered)
    def _answered(self, message: reports.Answered) -> None:
        self.answering.over(message.approval)

    @on(reports.Attended)
    def _attended(self, message: reports.Attended) -> None:
        self.change(replace(self.table, attention=message.value))

    @on(reports.Refused)
    def _refused(self, message: reports.Refused) -> None:
        self.answering.refused(message)

    def _select(self, table: Table) -> None:
        """Take a table in which another request may be selected than the person chose."""
        before = self.table.selected
        self.change(table)
        if table.selected != before:
            self.desk.guard.arm()
            self.forget_off()
            self._look_soon()

    # Clock and drawing.

    def tick(self) -> None:
        """Send what is due, ask again where an answer is in doubt, and draw the time."""
        self.note_sleep()
        if self.desk.guard.is_deserted:
            withdraw(self.app, forgetting=True)
        self.answering.tick()
        self.desk.caller.tick()
        self._take(self.table.fresh(self.desk.feed.heard_at))
        self._warn()
        self._settle()
        self._tell()
        self.draw()
        self._tell_pages()

    def _keep(self) -> None:
        """What the feed brought is kept too; where it brought nothing, nothing is asked."""
        if self._has_heard and self.table.connection.is_live:
            self._has_heard = False
            self._calls.load(in_order=False)

    def _settle(self) -> None:
        """A denial that never left is told as long as its request waits, and once when it ends."""
        self.table, over = self.table.settled(self.desk.now())
        self.desk.intents.drop({each.approval_id for each in over})
        for each in over:
            row = self.table.inbox.find(each.approval_id)
            if row is None or row.decided is None:
                self.say(say("It waits no more, and you had not denied it: {}", each.headline))

    def _warn(self) -> None:
        """Say what has come to its last minute, and to its last twenty seconds, once each."""
        before, self._warned_at = self._warned_at, self.desk.now()
        near = came_near(self.table.inbox.rows, before, self._warned_at)
        if near is not None:
            self.say(ending(*near))

    def note_sleep(self) -> None:
        """After a sleep whatever is typed was meant for what was there before, and all is old."""
        now = self.desk.now()
        if now - self._ticked_at > ASLEEP:
            self.desk.guard.arm()
            withdraw(self.app, forgetting=True)
            if self.table.connection.is_live:
                self.table = self.table.behind()
                self._calls.load(in_order=False)
        self._ticked_at = now

    def _stop_asking(self) -> None:
        if self._retry is not None:
            self._retry.stop()
            self._retry = None

    def draw_widgets(self) -> None:
        """Hand everything down to the widgets."""
        InboxView(
            desk=self.desk,
            table=self.table,
            denial=self.answering.latest,
            is_narrow=self._is_narrow,
            is_reading=self.has_class(READING),
        ).draw_on(self)
        self.draw_notices()
        self.draw_news()

    def draw_news(self) -> None:
        """Say what happened last, or what waits its five seconds, and how much is still below."""
        denial, ticks = self.answering.latest, self.desk.ticks()
        if denial is not None:
            left, what = denial.seconds_left(ticks), denial.approval.headline
            key = self.desk.keys.key("take_back")
            words = say("Denying in {} s, {} takes it back: {}", left, key, what)
            self.draw_status(words, said_at=ticks)
        else:
            is_under_way = bool(self.table.doing)
            self.draw_status(self._status, said_at=ticks if is_under_way else self._said_at)
        self.draw_more(self.query_one(ApprovalDetail).rows_below)

    def change(self, table: Table) -> None:
        """Put another table in the place of the present one, here and on what lies over it."""
        self._take(table)
        self.draw()
        self.answering.table_changed(self.table)
        self._tell_pages()

    def _take(self, table: Table) -> None:
        """A mark stays only as long as its request is what it was when it was marked."""
        lost = table.lost_marks(self.desk.now())
        self._lost += lost
        self.table = table.without_marks({each.id for each in lost}) if lost else table

    def say(self, text: SafeText) -> None:
        """Show what came of something that the person did, or an alarm, and let it stand."""
        self._stands_until = self.desk.ticks() + _TO_READ
        self._show(text)

    def _tell(self) -> None:
        """Show what lost its mark, and the latest news, once what stands there could be read."""
        if self.desk.ticks() < self._stands_until:
            return
        if self._lost:
            lost, self._lost = self._lost, ()
            self.say(lost_words(lost, self.table, self._moment))
        elif self._later:
            text, self._later = self._later, SafeText("")
            self._show(text)

    def say_off(self, verb: SafeText, reason: SafeText) -> None:
        """Say why a key does nothing to the selected request; of another it would not be true."""
        self._off = say("{} is off: {}", verb, reason)
        self.say(self._off)

    def forget_off(self) -> None:
        """Another request is selected."""
        if self._off and self._status == self._off:
            self._show(SafeText(""))

    def _show(self, text: SafeText) -> None:
        self._status, self._said_at = text, self.desk.ticks()
        self.draw()
        for page in self._pages:
            page.say(text)

    def page(self, number: int) -> Page[Any]:
        """Return a new page; 2 is the first beside this one."""
        return PAGE_CLASSES[number - 2](self.hall)

    @property
    def hall(self) -> Hall:
        """What a new page is given."""
        return Hall(self.desk, self.table, self.answering.open, self.post_message)

    def _tell_pages(self) -> None:
        for page in self._pages:
            page.table_changed(self.table)

    @property
    def _pages(self) -> list[Page[Any]]:
        return [screen for screen in self.app.screen_stack if isinstance(screen, Page)]

    def _look_soon(self) -> None:
        """Ask for the selected request once the selection rests; the server notes it as seen."""
        self.set_timer(_LOOK_AFTER, partial(self._look_if_still, self.table.selected))

    def _look_if_still(self, approval_id: str | None) -> None:
        if approval_id is not None and approval_id == self.table.selected:
            self._calls.look(approval_id)

    @property
    def _is_narrow(self) -> bool:
        return self.has_class(_NARROW)

    @property
    def _moment(self) -> Moment:
        return Moment.at(self.desk)
