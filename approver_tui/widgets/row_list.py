"""A list of two-line rows, with a cursor that stays on its row.

Owns: moving the cursor with keys and clicks, keeping it in view, highlighting its row. Never:
deciding which rows there are and where; the subclass stores their positions in `_first_lines`.
"""

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from approver_tui.messages import CursorMoved, Opened, PastEnd
from approver_tui.widgets.sheet import Sheet

ROW_HEIGHT = 2


class RowList(Sheet, can_focus=True):
    """A list whose rows are identified by ID, not by index."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("g,home", "move_to(0)", show=False),
        Binding("G,end", "move_to(-1)", show=False),
        Binding("ctrl+d,pagedown", "page(1)", show=False),
        Binding("ctrl+u,pageup", "page(-1)", show=False),
        Binding("enter", "open", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._first_lines: dict[str, int] = {}
        """The index of each row's first line by ID, in order."""

    @property
    def cursor(self) -> str | None:
        """The ID of the row under the cursor; subclasses implement it."""
        raise NotImplementedError

    @property
    def highlighted_rows(self) -> range:
        """The lines of the row under the cursor."""
        first_line = self._first_lines.get(self.cursor or "", -ROW_HEIGHT)
        return range(first_line, first_line + ROW_HEIGHT)

    def highlight(self, strip: Strip) -> Strip:
        """Return a row with the cursor's background over its whole width."""
        background = self.get_component_rich_style("row-list--cursor").bgcolor
        return Strip(Segment.apply_style(strip, post_style=Style(bgcolor=background)))

    def action_move(self, step: int) -> None:
        """Move the cursor by `step` rows."""
        self.action_move_to(max(0, self._index + step))

    def action_page(self, step: int) -> None:
        """Move the cursor by nearly a screenful."""
        self.action_move(step * max(1, self.size.height // ROW_HEIGHT - 1))

    def action_move_to(self, index: int) -> None:
        """Move the cursor to the row at `index`; -1 is the last row."""
        ids = list(self._first_lines)
        self.post_message(CursorMoved(ids[min(index, len(ids) - 1)]) if ids else PastEnd())

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.cursor is not None:
            self.post_message(Opened(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked row; if the cursor is on it, open the row."""
        _column, line = self.click_position(event)
        for row_id, first_line in self._first_lines.items():
            if first_line <= line < first_line + ROW_HEIGHT:
                is_under_cursor = row_id == self.cursor
                self.post_message(Opened(row_id) if is_under_cursor else CursorMoved(row_id))

    def click_position(self, event: events.Click) -> tuple[int, int]:
        """Return the column and line that was clicked; (-1, -1) outside the content."""
        offset = event.get_content_offset(self)
        return (-1, -1) if offset is None else (offset.x, offset.y + self.scroll_offset.y)

    @property
    def _index(self) -> int:
        ids = list(self._first_lines)
        return ids.index(self.cursor) if self.cursor in ids else 0

    def _keep_cursor_visible(self) -> None:
        first_line = self._first_lines.get(self.cursor or "")
        if first_line is not None:
            is_last = first_line == max(self._first_lines.values())
            top = 0 if first_line == min(self._first_lines.values()) else first_line
            end = len(self._lines) if is_last else first_line + ROW_HEIGHT
            height = min(end - top, max(ROW_HEIGHT, self.size.height))
            self.scroll_to_region(Region(0, top, 1, height), animate=False, force=True)
