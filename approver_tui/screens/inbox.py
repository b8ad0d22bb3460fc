"""The inbox: what waits on the left, the chosen request on the right, or one after the other.

Owns: the table, what is drawn from it, the way from a wish to an answer.
Never: moves the selection or the focus because something arrived.
"""

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.messages import KeyWanted, Opened, Selected
from approver_tui.screens import refusals, reports
from approver_tui.screens.approve import ApprovePanel
from approver_tui.screens.calls import Calls
from approver_tui.screens.denials import TIME_TO_THINK, Denial, Denials
from approver_tui.screens.deny import DenyPanel
from approver_tui.screens.desk import Desk
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.inbox_view import InboxView, draw_more
from approver_tui.screens.keys import inbox_help
from approver_tui.screens.news import news
from approver_tui.screens.panel import (
    TICK,
    Approved,
    Closed,
    DenialGiven,
    Panel,
    PanelResult,
    Unknown,
)
from approver_tui.screens.reasons import Moment, why_no_answer, why_no_yes
from approver_tui.screens.table import Table
from approver_tui.screens.whole import WholeScreen
from approver_tui.state.approvals import Approval, ApprovalState, Risk
from approver_tui.state.connection import Connection
from approver_tui.state.events import EventName
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approval_detail import ApprovalDetail
from approver_tui.widgets.approval_list import ApprovalList
from approver_tui.widgets.facts import outcome
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.notice_lines import NoticeLines, StatusLine
from approver_tui.widgets.rows import Doing
from approver_tui.widgets.sheet import Sheet
from approver_tui.widgets.top_bar import TopBar

_CHECK_EVERY = 2.0
_LOAD_AGAIN = 3.0
_LOOK_AFTER = 0.3
_NARROW = "-narrow"
_READING = "-reading"


class InboxScreen(WholeScreen[None]):
    """The first screen, and the one that everything else lies over."""

    AUTO_FOCUS = "#list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", show=False),
        Binding("d", "deny", show=False),
        Binding("u", "take_back", show=False),
        Binding("v", "turn_over", show=False),
        Binding("r", "refresh", show=False),
        Binding("L", "lock", show=False),
        Binding("question_mark,f1", "help", show=False),
        Binding("escape", "back", show=False),
        Binding("q", "leave", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.table = Table()
        self._denials = Denials()
        self._status = SafeText("")
        self._panel: Panel | None = None
        self._is_leaving = False
        self._is_listening = False
        self._checked_at = 0.0
        self._calls = Calls(desk, self)

    def compose(self) -> ComposeResult:
        """Lay out bar, warnings, list and detail, status and keys."""
        yield TopBar()
        yield NoticeLines(id="notices")
        with Horizontal(id="body"):
            yield ApprovalList(id="list")
            with Vertical(id="reading"):
                yield ApprovalDetail(self.desk.zone, id="detail")
                yield Static(id="more", markup=False)
        yield StatusLine()
        yield KeyBar()

    def on_mount(self) -> None:
        """Ask the server, listen to the feed, look at the clock."""
        self.desk.guard.arm()
        self._calls.load(in_order=True)
        self.set_interval(TICK, self.tick)
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
        before = self.table.selected
        unlisted = self.table.unlisted(message.page, self.desk.now())
        self._change(self.table.loaded(message.me, message.page, in_order=message.in_order))
        for approval_id in unlisted:
            self._calls.look(approval_id)
        if self.table.selected != before:
            self.desk.guard.arm()
            self._look_soon()

    @on(reports.KnownAs)
    def _known_as(self, message: reports.KnownAs) -> None:
        self._change(replace(self.table, me=message.me))

    @on(reports.LoadFailed)
    def _load_failed(self, message: reports.LoadFailed) -> None:
        self._say(refusals.words(message.error, done=say("")))
        if not self._is_listening:
            reason = display_safe(str(message.error), max_len=100)
            offline = Connection(since=self.desk.now(), reason=reason)
            self._change(self.table.connected(offline))
            if not isinstance(message.error, errors.LoginFirst):
                self.set_timer(_LOAD_AGAIN, partial(self._calls.load, in_order=True))

    @on(reports.Puzzled)
    def _puzzled(self, message: reports.Puzzled) -> None:
        """What the feed could not hand on may be in the list, marked as what it is."""
        self._say(message.problem)
        self._calls.load(in_order=False)

    @on(reports.Seen)
    def _seen(self, message: reports.Seen) -> None:
        approval = message.approval
        self._change(self.table.seen(approval))
        if self.table.doing.get(approval.id) is Doing.CHECKING:
            self._now_known(approval)

    @on(reports.Doubted)
    def _doubted(self, message: reports.Doubted) -> None:
        self._change(self.table.doubted(message.unverified))

    @on(reports.Heard)
    def _heard(self, message: reports.Heard) -> None:
        event = message.event
        table = self.table if event.device is None else self.table.on_device(event.device)
        if event.approval is not None and event.name is EventName.REQUESTED:
            table = table.asked(event.approval)
            if event.approval.risk.rank >= Risk.HIGH.rank:
                self.app.bell()
        elif event.approval is not None:
            table = table.seen(event.approval)
        if table.selected != self.table.selected:
            self.desk.guard.arm()
        self._change(table)
        if text := news(event, self.desk.zone, is_narrow=self._is_narrow):
            self._say(text)

    @on(reports.Reconnected)
    def _reconnected(self, message: reports.Reconnected) -> None:
        was_live = self.table.connection.is_live
        self._change(self.table.connected(message.connection))
        if message.connection.is_live and not was_live:
            self._calls.load(in_order=False)

    @on(reports.Resynced)
    def _resynced(self) -> None:
        self._calls.load(in_order=False)

    @on(reports.Answered)
    def _answered(self, message: reports.Answered) -> None:
        self._over(message.approval)

    @on(reports.Refused)
    def _refused(self, message: reports.Refused) -> None:
        match message.error:
            case errors.UnknownOutcome() | errors.WireError():
                self._check(message.approval_id)
            case errors.AlreadyDecided(approval=winner):
                self._change(self.table.seen(winner).idle(winner.id))
                self._say(refusals.already(winner, self._moment))
            case error:
                self._change(self.table.idle(message.approval_id))
                self._say(refusals.words(error, done=say("Nothing was denied.")))
        self._leave_if_done()

    # What the person wants.

    @on(Selected)
    def _selected(self, message: Selected) -> None:
        self._change(self.table.moved_to(message.approval_id))
        if not self._is_narrow:
            self._look_soon()

    @on(Opened)
    def _opened(self, message: Opened) -> None:
        self._change(self.table.moved_to(message.approval_id))
        self.add_class(_READING)
        self.query_one(ApprovalDetail).focus()
        self._look_soon()
        self.draw()

    @on(KeyWanted)
    def _key_wanted(self, message: KeyWanted) -> None:
        self.app.simulate_key(message.key)

    @on(Sheet.Scrolled)
    def _scrolled(self) -> None:
        draw_more(self)

    def action_approve(self) -> None:
        """Open the panel that approves, or say why not."""
        approval, reason = self.table.current, self.why_no_yes()
        if reason or approval is None:
            self._say(say("Approve is off: {}", reason))
        elif self._panel is None:
            self._open(ApprovePanel(self.desk, self.table, approval))

    def action_deny(self) -> None:
        """Open the panel that denies, or say why not."""
        approval = self.table.current
        reason = why_no_answer(self.table, approval, self._moment)
        if reason or approval is None:
            self._say(say("Deny is off: {}", reason))
        elif self._panel is None:
            self._open(DenyPanel(self.desk, self.table, approval))

    def action_take_back(self) -> None:
        """Take the latest denial back before it leaves."""
        denial = self._denials.latest
        if denial is not None:
            self._denials = self._denials.without(denial.approval.id)
            self._change(self.table.idle(denial.approval.id))
            self._say(say("Taken back: nothing was denied."))

    def action_turn_over(self) -> None:
        """Show the signed texts, or the facts again."""
        self.query_one(ApprovalDetail).turn_over()

    def action_refresh(self) -> None:
        """Ask the server again and put the list in order."""
        self._say(say("Asking the server .."))
        self._calls.load(in_order=True)

    def action_lock(self) -> None:
        """Forget the opened key."""
        self.desk.answers.lock()
        self._say(say("Locked: the next approval takes the PIN."))

    def action_help(self) -> None:
        """Show the keys, and why Approve is off."""
        self.app.push_screen(HelpScreen(say("KEYS IN THE INBOX"), inbox_help(), self.why_no_yes()))

    def action_back(self) -> None:
        """Go back from reading to the list."""
        self.remove_class(_READING)
        self.query_one(ApprovalList).focus()
        self.draw()

    def action_leave(self) -> None:
        """Quit; a denial that waits is sent first, and a second time quits without waiting."""
        if self._is_leaving or not self._is_sending():
            self.app.exit()
            return
        self._is_leaving = True
        self._say(say("Sending your answer, then leaving. q again leaves at once."))
        self._send_denials(self._denials.waiting)

    def why_no_yes(self) -> SafeText:
        """Return why the selected request cannot be approved, or nothing."""
        return why_no_yes(self.table, self.table.current, self._moment)

    # The way of an answer.

    def _open(self, panel: Panel) -> None:
        """The next key may come before the panel is there, and was not meant for it."""
        self.desk.guard.arm()
        self._panel = panel
        self.app.push_screen(panel, partial(self._panel_closed, panel.approval))

    def _panel_closed(self, approval: Approval, result: PanelResult) -> None:
        self._panel = None
        match result:
            case Approved(approval=taken):
                self._over(taken)
            case DenialGiven():
                self._think_again(result)
            case Unknown():
                self._check(approval.id)
            case Closed(reason=reason, approval=newer):
                if newer is not None:
                    self._change(self.table.seen(newer))
                self._say(reason)
        self._calls.refresh_me()

    def _think_again(self, given: DenialGiven) -> None:
        due = self.desk.ticks() + TIME_TO_THINK
        denial = Denial(given.approval, given.code, given.note, due)
        self._denials = self._denials.with_another(denial)
        self._change(self.table.busy(given.approval.id, Doing.DENYING))

    def _send_denials(self, denials: tuple[Denial, ...]) -> None:
        for denial in denials:
            self._denials = self._denials.without(denial.approval.id)
            self._change(self.table.busy(denial.approval.id, Doing.SENDING))
            self._calls.deny(denial)

    def _over(self, approval: Approval) -> None:
        self._change(self.table.seen(approval).idle(approval.id))
        self._say(outcome(approval, self.desk.now(), self.desk.zone))
        self._leave_if_done()

    def _check(self, approval_id: str) -> None:
        self._change(self.table.busy(approval_id, Doing.CHECKING))
        self._say(say("Not known yet, checking: the server has not confirmed your answer."))
        self._calls.look(approval_id)

    def _now_known(self, approval: Approval) -> None:
        self._change(self.table.idle(approval.id))
        if approval.state is ApprovalState.PENDING and approval.is_waiting(self.desk.now()):
            self._say(say("Your answer did not reach the server. The request still waits."))
        else:
            self._say(outcome(approval, self.desk.now(), self.desk.zone))
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if self._is_leaving and not self._is_sending():
            self.app.exit()

    def _is_sending(self) -> bool:
        return bool(self._denials.waiting) or Doing.SENDING in self.table.doing.values()

    # Clock and drawing.

    def tick(self) -> None:
        """Send what is due, ask again where an answer is in doubt, and draw the time."""
        ticks = self.desk.ticks()
        self._send_denials(self._denials.due(ticks))
        if ticks - self._checked_at >= _CHECK_EVERY:
            self._checked_at = ticks
            for approval_id, doing in self.table.doing.items():
                if doing is Doing.CHECKING:
                    self._calls.look(approval_id)
        self.table = self.table.fresh(self.desk.now())
        self.draw()

    def draw_widgets(self) -> None:
        """Hand everything down to the widgets."""
        InboxView(
            desk=self.desk,
            table=self.table,
            denial=self._denials.latest,
            status=self._status,
            is_narrow=self._is_narrow,
            is_reading=self.has_class(_READING),
        ).draw_on(self)

    def _change(self, table: Table) -> None:
        self.table = table
        self.draw()
        if self._panel is not None:
            self._panel.table_changed(table)

    def _say(self, text: SafeText) -> None:
        self._status = text
        self.draw()

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
        return Moment(self.desk.now(), self.desk.zone)
