"""Draws the state on the widgets of the inbox screen.

Owns: which widget shows which part of the state. Never: changing the state; a call that could
block.
"""

from dataclasses import dataclass
from typing import NamedTuple

from textual.screen import Screen

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
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import PAGES, hint, inbox_keys, retry_keys, with_keymap
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.approval_detail import ApprovalDetail
from approver_tui.widgets.approvals.approval_list import ApprovalList, ListView
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import NoticeLines
from approver_tui.widgets.notifications.other_logins import other_logins_line
from approver_tui.widgets.times import remaining
from approver_tui.widgets.top_bar import TopBar, TopView

_MIN_ROWS_FOR_LOGINS = 20
"""A screen with fewer rows does not show the counts of other logins."""


class InboxWidgets(NamedTuple):
    """The widgets of the inbox screen that show its state."""

    top: TopBar
    list: ApprovalList
    detail: ApprovalDetail
    others: NoticeLines
    keys: KeyBar

    @classmethod
    def from_screen(cls, screen: Screen[None]) -> "InboxWidgets":
        """Return the widgets of a composed screen."""
        query = screen.query_one
        others = query("#others", NoticeLines)
        return cls(query(TopBar), query(ApprovalList), query(ApprovalDetail), others, query(KeyBar))


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """The data that the inbox screen shows at a given moment."""

    context: ScreenContext
    state: InboxState
    can_undo: bool
    """Whether a waiting action or denial can be undone."""
    is_narrow: bool
    is_reading: bool

    def draw_on(self, widgets: InboxWidgets, height: int) -> None:
        """Pass each widget its part of the state; a widget draws only if its part changed."""
        state, now = self.state, self.context.now()
        widgets.list.show(self._list())
        widgets.detail.show(state.selected_fold(now), now, state.attention)
        widgets.top.show(self._top())
        logins_line = other_logins_line(state.other_logins, now)
        is_tall_enough = height >= _MIN_ROWS_FOR_LOGINS
        lines = (logins_line,) if logins_line and is_tall_enough else ()
        widgets.others.show(lines)

    def _list(self) -> ListView:
        state = self.state
        return ListView(
            inbox=state.visible,
            hidden=len(state.inbox.rows) - len(state.visible.rows),
            typed=display_safe(state.query.text, max_len=30),
            selected_id=state.selected_id,
            arrived_ids=state.arrived_ids,
            unverified=state.unverified,
            in_progress=state.in_progress,
            expanded_looks=state.expanded_looks,
            marks=state.marks,
            attention=state.attention,
            me=None if state.me is None else state.me.user.id,
            now=self.context.now(),
            keys=self.context.keys,
            is_loaded=state.is_loaded,
            is_loading=state.connection.is_live or state.connection.phase is Phase.CONNECTING,
        )

    def _top(self) -> TopView:
        state, now = self.state, self.context.now()
        count = state.waiting_count(now)
        title = PAGES[0]
        if self.is_narrow and count is not None:
            title = fmt("Inbox {}", count)
        return TopView(
            title=fmt("< {}", title) if self.is_narrow and self.is_reading else title,
            user=SafeText("") if state.me is None else self.context.user_label(state.me.user.name),
            connection=state.connection,
            fresh_at=state.fresh_at,
            now=now,
            zone=self.context.zone,
            is_unlocked=self.context.answers.is_unlocked,
            tabs=() if self.is_narrow else PAGES,
            waiting=count,
            left=self._time_left(now) if self.is_narrow and self.is_reading else None,
        )

    def _time_left(self, now: int) -> SafeText | None:
        """Return the remaining time for the top bar, as the details may be scrolled out of view."""
        current = self.state.current
        if current is None or not current.is_waiting(now):
            return None
        return remaining(current.expires_at, now)

    @property
    def keys_basis(self) -> tuple[object, ...]:
        """Everything that the keys depend on, with the time in seconds."""
        state, second = self.state, self.context.now() // 1000
        basis = (self.is_reading, self.can_undo, second, state.current, state.in_progress)
        return (*basis, state.marks, state.unverified, state.connection, state.me)

    def keys(self) -> tuple[Hint, ...]:
        """Return the key hints, with unavailable keys off."""
        moment, state = AnswerContext.from_screen(self.context), self.state
        marked = len(state.marks)
        keys = inbox_keys(
            is_reading=self.is_reading,
            can_undo=self.can_undo,
            off=_unavailable_keys(state, moment),
            marked=marked,
            first=_state_keys(state, moment),
        )
        return with_keymap(keys, self.context.keys)


def _state_keys(state: InboxState, moment: AnswerContext) -> tuple[Hint, ...]:
    """Return the hints for keys that work only in the selected request's state."""
    blocker_args = state, state.current, moment
    if not withdrawal_blocker(*blocker_args):
        return (hint("W", "Withdraw"),)
    return retry_keys(state.current, moment.now, retry_blocker(*blocker_args))


def _unavailable_keys(state: InboxState, moment: AnswerContext) -> frozenset[str]:
    """Return the keys that are off; Approve and Deny stay on while requests are marked."""
    blocker_args = state, state.current, moment
    nothing_selected = SafeText("") if state.current else fmt("nothing is selected.")
    reasons = {
        "a": SafeText("") if state.marks else approval_blocker(*blocker_args),
        "d": SafeText("") if state.marks else answer_blocker(*blocker_args),
        "e": narrowing_blocker(*blocker_args),
        "s": standing_grant_blocker(*blocker_args),
        "!": report_blocker(*blocker_args),
        "o": answer_blocker(*blocker_args),
        "v": nothing_selected,
        "x": SafeText("") if state.marks else nothing_selected,
    }
    return frozenset(key for key, reason in reasons.items() if reason)
