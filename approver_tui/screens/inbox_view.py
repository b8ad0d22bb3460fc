"""From the table to the widgets of the inbox screen.

Owns: which widget is told what. Never: changes the table, or calls anything that could block.
"""

from dataclasses import dataclass

from textual.screen import Screen

from approver_tui.screens.denials import Denial
from approver_tui.screens.desk import Desk
from approver_tui.screens.keys import PAGES, as_chosen, inbox_keys, retry_keys
from approver_tui.screens.reasons import (
    Moment,
    why_no_answer,
    why_no_less,
    why_no_report,
    why_no_retry,
    why_no_similar,
    why_no_yes,
)
from approver_tui.screens.table import Table
from approver_tui.state.connection import Phase
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approval_detail import ApprovalDetail
from approver_tui.widgets.approval_list import ApprovalList, ListView
from approver_tui.widgets.elsewhere import elsewhere_line
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import say
from approver_tui.widgets.notice_lines import NoticeLines
from approver_tui.widgets.times import remaining
from approver_tui.widgets.top_bar import TopBar, TopView

_ENOUGH_LINES = 20
"""On a screen of fewer, each of them is for what waits here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """All that the inbox screen shows at one moment."""

    desk: Desk
    table: Table
    denial: Denial | None
    """The denial that can be taken back."""
    is_narrow: bool
    is_reading: bool

    def draw_on(self, screen: Screen[None]) -> None:
        """Tell each widget its part; one whose part is the same draws nothing."""
        table, now = self.table, self.desk.now()
        screen.query_one(ApprovalList).show(self._list())
        screen.query_one(ApprovalDetail).show(table.fold(now), now, table.attention)
        screen.query_one(TopBar).show(self._top())
        elsewhere = elsewhere_line(table.elsewhere, now)
        has_room = screen.size.height >= _ENOUGH_LINES
        line = (elsewhere,) if elsewhere and has_room else ()
        screen.query_one("#others", NoticeLines).show(line)
        screen.query_one(KeyBar).show(self._keys())

    def _list(self) -> ListView:
        table = self.table
        return ListView(
            inbox=table.shown,
            hidden=len(table.inbox.rows) - len(table.shown.rows),
            typed=display_safe(table.query.text, max_len=30),
            selected=table.selected,
            arrived=table.arrived,
            unverified=table.unverified,
            doing=table.doing,
            opened=table.opened,
            marks=table.marks,
            attention=table.attention,
            me=None if table.me is None else table.me.user.id,
            now=self.desk.now(),
            keys=self.desk.keys,
            is_loaded=table.is_loaded,
            is_asked=table.connection.is_live or table.connection.phase is Phase.CONNECTING,
        )

    def _top(self) -> TopView:
        table, now = self.table, self.desk.now()
        count = table.count(now)
        title = PAGES[0]
        if self.is_narrow and count is not None:
            title = say("Inbox {}", count)
        return TopView(
            title=say("< {}", title) if self.is_narrow and self.is_reading else title,
            user=SafeText("") if table.me is None else self.desk.named(table.me.user.name),
            connection=table.connection,
            fresh_at=table.fresh_at,
            now=now,
            zone=self.desk.zone,
            is_unlocked=self.desk.answers.is_unlocked,
            tabs=() if self.is_narrow else PAGES,
            waiting=count,
            left=self._left(now) if self.is_narrow and self.is_reading else None,
        )

    def _left(self, now: int) -> SafeText | None:
        """What is left to answer in; below the facts it may be a screenful away."""
        one = self.table.current
        if one is None or not one.is_waiting(now):
            return None
        return remaining(one.expires_at, now)

    def _keys(self) -> tuple[Hint, ...]:
        moment, table = Moment.at(self.desk), self.table
        marked = len(table.marks)
        keys = inbox_keys(
            is_reading=self.is_reading,
            can_take_back=self.denial is not None,
            off=_off(table, moment),
            marked=marked,
            retry=retry_keys(table.current, moment.now, why_no_retry(table, table.current, moment)),
        )
        return as_chosen(keys, self.desk.keys)


def _off(table: Table, moment: Moment) -> frozenset[str]:
    """Return which keys do nothing to the selected request; marked ones are answered whatever."""
    case = table, table.current, moment
    reasons = {
        "a": SafeText("") if table.marks else why_no_yes(*case),
        "d": SafeText("") if table.marks else why_no_answer(*case),
        "e": why_no_less(*case),
        "s": why_no_similar(*case),
        "!": why_no_report(*case),
        "o": why_no_answer(*case),
    }
    return frozenset(key for key, reason in reasons.items() if reason)
