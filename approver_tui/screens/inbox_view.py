"""From the table to the widgets of the inbox screen.

Owns: which widget is told what. Never: changes the table, or calls anything that could block.
"""

from dataclasses import dataclass

from textual.screen import Screen
from textual.widgets import Static

from approver_tui.screens.denials import Denial
from approver_tui.screens.desk import Desk
from approver_tui.screens.keys import inbox_keys
from approver_tui.screens.notices import notices
from approver_tui.screens.reasons import Moment, why_no_answer, why_no_yes
from approver_tui.screens.table import Table
from approver_tui.state.text import SafeText
from approver_tui.widgets.approval_detail import ApprovalDetail
from approver_tui.widgets.approval_list import ApprovalList, ListView
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import lines_word, say
from approver_tui.widgets.notice_lines import NoticeLines, StatusLine
from approver_tui.widgets.top_bar import TopBar, TopView


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """All that the inbox screen shows at one moment."""

    desk: Desk
    table: Table
    denial: Denial | None
    """The denial that can be taken back."""
    status: SafeText
    is_narrow: bool
    is_reading: bool

    def draw_on(self, screen: Screen[None]) -> None:
        """Tell each widget its part; one whose part is the same draws nothing."""
        table, now = self.table, self.desk.now()
        screen.query_one(ApprovalList).show(self._list())
        screen.query_one(ApprovalDetail).show(table.current, now)
        screen.query_one(TopBar).show(self._top())
        screen.query_one("#notices", NoticeLines).show(notices(self.desk, table))
        screen.query_one(StatusLine).show(self._status())
        screen.query_one(KeyBar).show(self._keys())
        draw_more(screen)

    def _list(self) -> ListView:
        table = self.table
        return ListView(
            inbox=table.inbox,
            selected=table.selected,
            arrived=table.arrived,
            unverified=table.unverified,
            doing=table.doing,
            now=self.desk.now(),
            is_loaded=table.is_loaded,
        )

    def _top(self) -> TopView:
        table, now = self.table, self.desk.now()
        count = len(table.inbox.waiting(now))
        title = say("Inbox {}" if self.is_narrow else "Sayso  Inbox {}", count)
        return TopView(
            title=say("< {}", title) if self.is_narrow and self.is_reading else title,
            user=SafeText("") if table.me is None else table.me.user.name,
            connection=table.connection,
            fresh_at=table.fresh_at,
            now=now,
            zone=self.desk.zone,
            is_unlocked=self.desk.answers.is_unlocked,
        )

    def _status(self) -> SafeText:
        if self.denial is None:
            return self.status
        left = self.denial.seconds_left(self.desk.ticks())
        return say("Denying in {} s, u takes it back: {}", left, self.denial.approval.headline)

    def _keys(self) -> tuple[Hint, ...]:
        moment, table = Moment(self.desk.now(), self.desk.zone), self.table
        return inbox_keys(
            is_reading=self.is_reading,
            can_take_back=self.denial is not None,
            approve_off=bool(why_no_yes(table, table.current, moment)),
            deny_off=bool(why_no_answer(table, table.current, moment)),
        )


def draw_more(screen: Screen[None]) -> None:
    """Say how much of the request is still below."""
    below = screen.query_one(ApprovalDetail).rows_below
    text = say("more below: {} {}", below, lines_word(below)) if below else SafeText("")
    screen.query_one("#more", Static).update(text, layout=False)
