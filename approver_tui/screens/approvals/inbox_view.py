"""Draws the state on the widgets of the inbox screen.

Owns: which widget shows which part of the state. Never: changing the state; a call that could
block.
"""

from dataclasses import dataclass

from approver_tui.screens.approvals.blockers import BLOCKERS, retry_blocker, withdrawal_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keyed_screen import top_view
from approver_tui.screens.keys import PAGES, hint, inbox_keys, retry_keys, with_keymap
from approver_tui.state.keymap import KEYS
from approver_tui.state.notifications.connection import Phase
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.approval_list import ListView
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.times import remaining
from approver_tui.widgets.top_bar import TopView


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """The data that the inbox screen shows at a given moment."""

    context: ScreenContext
    state: InboxState
    can_undo: bool
    """Whether a waiting action or denial can be undone."""
    is_narrow: bool
    is_reading: bool

    def list(self) -> ListView:
        """Return what the list shows."""
        state = self.state
        return ListView(
            inbox=state.visible,
            hidden=len(state.inbox.rows) - len(state.visible.rows),
            typed=display_safe(state.query.text, max_len=30),
            cursor_id=state.cursor_id,
            arrived_ids=state.arrived_ids,
            unverified=state.unverified,
            in_progress=state.in_progress,
            expanded_looks=state.expanded_looks,
            selection=state.selection,
            prefs=state.prefs,
            me=None if state.me is None else state.me.user.id,
            now=self.context.now(),
            keys=self.context.keys,
            is_loaded=state.is_loaded,
            is_loading=state.connection.is_live or state.connection.phase is Phase.CONNECTING,
        )

    def top(self) -> TopView:
        """Return what the top bar shows."""
        count, title = self.state.waiting_count(self.context.now()), PAGES[0]
        if self.is_narrow and count is not None:
            title = fmt("Inbox {}", count)
        if self.is_narrow and self.is_reading:
            title = fmt("< {}", title)
        left = self._time_left() if self.is_narrow and self.is_reading else None
        return top_view(self.context, self.state, title, is_narrow=self.is_narrow, left=left)

    def _time_left(self) -> SafeText | None:
        """Return the remaining time for the top bar, as the details may be scrolled out of view."""
        current, now = self.state.current, self.context.now()
        if current is None or not current.is_waiting(now):
            return None
        return remaining(current.expires_at, now)

    @property
    def keys_basis(self) -> tuple[object, ...]:
        """Everything that the keys depend on, with the time in seconds."""
        state, second = self.state, self.context.now() // 1000
        basis = (self.is_reading, self.can_undo, second, state.current, state.in_progress)
        return (*basis, state.selection, state.unverified, state.connection, state.me)

    def keys(self) -> tuple[Hint, ...]:
        """Return the key hints, with unavailable keys off."""
        keys = inbox_keys(
            is_reading=self.is_reading,
            can_undo=self.can_undo,
            off=_unavailable_keys(self.state, self.context),
            selected=len(self.state.selection),
            first=_state_keys(self.state, self.context),
        )
        return with_keymap(keys, self.context.keys)


def _state_keys(state: InboxState, context: ScreenContext) -> tuple[Hint, ...]:
    """Return the hints for keys that work only in the current request's state."""
    blocker_args = state, state.current, context
    if not withdrawal_blocker(*blocker_args):
        return (hint("W", "Withdraw"),)
    return retry_keys(state.current, context.now(), retry_blocker(*blocker_args))


_HIDEABLE = ("approve", "deny", "narrow", "standing_grant", "report", "open_on_phone")
"""The actions in KEYS whose keys are not shown while the current request blocks them."""
_SELECTION_ACTIONS = ("approve", "deny", "select")
"""The actions in KEYS that also apply to the selection."""


def _unavailable_keys(state: InboxState, context: ScreenContext) -> frozenset[str]:
    """Return the keys that are off."""
    off = {KEYS[name] for name in _HIDEABLE if BLOCKERS[name](state, state.current, context)}
    if state.current is None:
        off |= {KEYS["details"], KEYS["select"]}
    if state.selection:
        off -= {KEYS[name] for name in _SELECTION_ACTIONS}
    return frozenset(off)
