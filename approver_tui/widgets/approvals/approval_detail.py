"""The details of an approval.

Owns: showing the display document or the signed texts; scrolling with keys. Never: the order and
wording of the details, which are in `facts`.
"""

from datetime import tzinfo
from typing import ClassVar

from textual.binding import BindingType

from approver_tui.state.approvals.look_alikes import Fold
from approver_tui.state.keymap import Keymap
from approver_tui.state.notifications.preferences import DEFAULT_PREFS, NotificationPrefs
from approver_tui.widgets.approvals.facts import approval_lines, raw_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, wrap_text
from approver_tui.widgets.notifications.quiet import quiet_text
from approver_tui.widgets.sheet import SCROLLING, Sheet


class ApprovalDetail(Sheet, can_focus=True):
    """The right side of the inbox; on narrow screens it takes the whole width."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(self, zone: tzinfo | None, keys: Keymap, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._zone = zone
        self._keys = keys
        self._fold: Fold | None = None
        self._now = 0
        self._is_raw = False
        self._prefs = DEFAULT_PREFS

    def show(self, fold: Fold | None, now: int, prefs: NotificationPrefs) -> None:
        """Show an approval; if it is a different one, start at the top of its details."""
        before = self._fold
        if fold == before and prefs == self._prefs and self._same_second(now):
            return
        self._fold, self._now, self._prefs = fold, now, prefs
        if fold is None or before is None or fold.approval.id != before.approval.id:
            self._is_raw = False
            self.scroll_home(animate=False)
        self.relayout()

    def toggle_raw(self) -> None:
        """Switch between the signed texts and the details."""
        self._is_raw = not self._is_raw
        self.scroll_home(animate=False)
        self.relayout()

    def lines_for(self, width: int) -> list[Line]:
        """Return the lines of the details or of the signed texts."""
        if self._fold is None:
            return wrap_text(fmt("Nothing is selected."), width, Role.DIM)
        view = RenderContext(self._now, self._zone, width, self._keys)
        lines = (raw_lines if self._is_raw else approval_lines)(self._fold.approval, view)
        return [*_group_lines(self._fold, width), *self._quiet_lines(self._fold, view), *lines]

    def _quiet_lines(self, fold: Fold, view: RenderContext) -> list[Line]:
        """Say why the approval does not notify, and which key changes that."""
        if not fold.approval.is_waiting(view.now):
            return []
        words = quiet_text(fold.approval, self._prefs, view)
        return [*wrap_text(words, view.width, Role.HEADING), BLANK] if words else []

    def _same_second(self, now: int) -> bool:
        return now // 1000 == self._now // 1000


def _group_lines(fold: Fold, width: int) -> list[Line]:
    """Say that the row shows a group, and that an answer applies to this request only."""
    if not fold.is_group:
        return []
    words = fmt("One of {} that look alike. Your answer applies to this one only.", fold.count)
    return [*wrap_text(words, width, Role.HEADING), BLANK]
