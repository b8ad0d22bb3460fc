"""The requests of a batch with checkboxes, and whether all lines were on the screen.

Owns: the pointer, keys and clicks of the checkboxes, which lines were visible. Never: what
selecting means.
"""

from collections.abc import Iterable
from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size

from approver_tui.messages import RowMessage
from approver_tui.state.approvals.batch import Batch
from approver_tui.widgets.approvals.batch_lines import BOX, PlacedLine, batch_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import Line
from approver_tui.widgets.sheet import ReadSheet


class BatchTable(ReadSheet, can_focus=True):
    """One block for each request; Space selects or deselects one and moves to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("g,home", "move(-1000000)", show=False),
        Binding("G,end", "move(1000000)", show=False),
        Binding("ctrl+d,pagedown", "read(1)", show=False),
        Binding("ctrl+u,pageup", "read(-1)", show=False),
        Binding("space", "toggle_check", show=False),
    ]

    class Toggled(RowMessage):
        """The user selects or deselects a request."""

    def __init__(self, batch: Batch, zone: tzinfo | None) -> None:
        super().__init__()
        self._batch = batch
        self._zone = zone
        self._cursor = 0
        self._placed: list[PlacedLine] = []
        self._seen: set[tuple[str, int]] = set()
        """The lines that were on the screen: the request, and the index in its block."""

    def show(self, batch: Batch) -> None:
        """Draw another batch; lines that were seen stay seen by request, not by position."""
        if batch != self._batch:
            self._record_seen()
            self._batch = batch
            self._cursor = min(self._cursor, len(batch.rows) - 1)
            self.relayout()
            self.refresh(layout=True)

    def lines_for(self, width: int) -> list[Line]:
        """Return the blocks, and what all requests share."""
        self._placed = self._lay_out(width)
        return [placed.line for placed in self._placed]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows it needs, so that the panel is no taller than necessary."""
        del container, viewport
        return len(self._lay_out(max(2, width - self.scrollbar_size_vertical)))

    @property
    def unread(self) -> int:
        """The number of lines not yet seen at this width; never 0 before drawing."""
        self._record_seen()
        return len(_line_keys(self._placed) - self._seen) if self._placed else 1

    def action_move(self, step: int) -> None:
        """Point at another request, and scroll it into view."""
        self._cursor = min(len(self._batch.rows) - 1, max(0, self._cursor + step))
        self.relayout()
        lines = [y for y, each in enumerate(self._placed) if each.block == self._pointed]
        top = lines[0] if self._cursor else 0
        region = Region(0, top, 1, lines[-1] + 1 - top)
        self.scroll_to_region(region, animate=False, force=True)

    def action_toggle_check(self) -> None:
        """Ask to select or deselect the request, and point at the next one."""
        self.post_message(self.Toggled(self._pointed))
        self.action_move(1)

    def on_click(self, event: events.Click) -> None:
        """Point at the clicked request; a click on its checkbox selects or deselects it."""
        where = event.get_content_offset(self)
        ids = [each.id for each in self._batch.rows]
        line = -1 if where is None else where.y + self.scroll_offset.y
        if where is None or line >= len(self._placed) or self._placed[line].block not in ids:
            return
        clicked = self._placed[line]
        self._cursor = ids.index(clicked.block)
        self.relayout()
        if clicked.number == 0 and where.x < BOX:
            self.action_toggle_check()

    def on_focus(self, _event: events.Focus) -> None:
        """Point at a request."""
        self.relayout()

    def on_blur(self, _event: events.Blur) -> None:
        """Stop pointing."""
        self.relayout()

    def on_resize(self, _event: events.Resize) -> None:
        """Forget which lines were seen, because another width wraps them differently.

        Textual calls the base class's handler after this one.
        """
        if self._text_width != self._laid_out_for:
            self._seen = set()

    def _record_seen(self) -> None:
        self._seen |= _line_keys(self._placed[self.scroll_offset.y : self.last_visible_row])

    @property
    def _pointed(self) -> str:
        return self._batch.rows[self._cursor].id

    def _lay_out(self, width: int) -> list[PlacedLine]:
        view = RenderContext(0, self._zone, width)
        return batch_lines(self._batch, self._pointed if self.has_focus else None, view)


def _line_keys(placed: Iterable[PlacedLine]) -> set[tuple[str, int]]:
    return {(each.block, each.number) for each in placed}
