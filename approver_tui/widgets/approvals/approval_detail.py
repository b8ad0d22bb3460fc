"""The details of an approval.

Owns: showing the display document or the signed texts; scrolling with keys. Never: the order and
wording of the details, which are in `facts`.
"""

from collections.abc import Callable
from functools import partial

from approver_tui.state.approvals.look_alikes import Fold
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.widgets.approvals.facts import approval_lines, raw_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.entry_sheet import EntrySheet
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, wrap_text
from approver_tui.widgets.notifications.quiet import quiet_text

ViewForWidth = Callable[[int], RenderContext]
"""Returns the render context for a width."""


class ApprovalDetail(EntrySheet, can_focus=True):
    """The right side of the inbox; on narrow screens it takes the whole width."""

    _approval_id: str | None = None
    _is_raw = False

    def show_fold(self, fold: Fold | None, prefs: NotificationPrefs, view: ViewForWidth) -> None:
        """Show an approval; if it is a different one, start at the top of its details."""
        approval_id = None if fold is None else fold.approval.id
        if approval_id != self._approval_id:
            self._approval_id, self._is_raw = approval_id, False
        make_lines = None if fold is None else partial(self._fold_lines, fold, prefs, view)
        self.show(make_lines, (approval_id, fold, prefs, view(0).now // 1000))

    def toggle_raw(self) -> None:
        """Switch between the signed texts and the details."""
        self._is_raw = not self._is_raw
        self.scroll_home(animate=False)
        self.relayout()

    def _fold_lines(
        self, fold: Fold, prefs: NotificationPrefs, view_for: ViewForWidth, width: int
    ) -> list[Line]:
        view = view_for(width)
        lines = (raw_lines if self._is_raw else approval_lines)(fold.approval, view)
        return [*_group_lines(fold, width), *_quiet_lines(fold, prefs, view), *lines]


def _quiet_lines(fold: Fold, prefs: NotificationPrefs, view: RenderContext) -> list[Line]:
    """Say why there are no notifications, and which key changes that."""
    if not fold.approval.is_waiting(view.now):
        return []
    words = quiet_text(fold.approval, prefs, view)
    return [*wrap_text(words, view.width, Role.HEADING), BLANK] if words else []


def _group_lines(fold: Fold, width: int) -> list[Line]:
    """Say that the row shows a group, and that an answer applies to this request only."""
    if not fold.is_group:
        return []
    words = fmt("One of {} that look alike. Your answer applies to this one only.", fold.count)
    return [*wrap_text(words, width, Role.HEADING), BLANK]
