"""One approval, everything that is known about it.

Owns: showing the display document or, on request, the signed texts; scrolling by keys.
Never: the order and wording; those are in `facts`.
"""

from datetime import tzinfo
from typing import ClassVar

from textual.binding import BindingType

from approver_tui.state.approvals import Approval
from approver_tui.widgets.facts import Viewpoint, approval_lines, raw_lines
from approver_tui.widgets.lines import Line, Role, say, wrapped
from approver_tui.widgets.sheet import SCROLLING, Sheet


class ApprovalDetail(Sheet, can_focus=True):
    """The right-hand side of the inbox; the whole screen where that is narrow."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLLING

    def __init__(self, zone: tzinfo | None, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(id=id)
        self._zone = zone
        self._approval: Approval | None = None
        self._now = 0
        self._is_raw = False

    def show(self, approval: Approval | None, now: int) -> None:
        """Show an approval at a time; another approval starts at its top, with its facts."""
        before = self._approval
        if approval == before and self._same_second(now):
            return
        self._approval, self._now = approval, now
        if approval is None or before is None or approval.id != before.id:
            self._is_raw = False
            self.scroll_home(animate=False)
        self.relay()

    def turn_over(self) -> None:
        """Show the signed texts, or the facts again."""
        self._is_raw = not self._is_raw
        self.scroll_home(animate=False)
        self.relay()

    def lines_for(self, width: int) -> list[Line]:
        """Return the facts, or the signed texts."""
        if self._approval is None:
            return wrapped(say("Nothing is selected."), width, Role.DIM)
        view = Viewpoint(self._now, self._zone, width)
        return (raw_lines if self._is_raw else approval_lines)(self._approval, view)

    def _same_second(self, now: int) -> bool:
        return now // 1000 == self._now // 1000
