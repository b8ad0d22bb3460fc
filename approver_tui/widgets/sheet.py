"""A scrolling sheet of lines, laid out for its width.

Owns: drawing only the rows that changed; scrolling by keys; tracking which rows were on the screen.
Never: the content of the lines; the subclass's `lines_for` makes them.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from approver_tui.state.text import SafeText, counted
from approver_tui.widgets.lines import Line, Role, fmt

SCROLLING: list[BindingType] = [
    Binding("j,down", "scroll_down", show=False),
    Binding("k,up", "scroll_up", show=False),
    Binding("g,home", "scroll_home", show=False),
    Binding("G,end", "scroll_end", show=False),
    Binding("ctrl+d,pagedown", "page_down", show=False),
    Binding("ctrl+u,pageup", "page_up", show=False),
]
"""The keys that scroll, letters and arrow keys."""

_NONE = range(0)

DrawnLine = tuple[Line, bool]
"""A line and whether it is highlighted."""


class Sheet(ScrollView):
    """Lines of text that never scroll sideways."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"sheet--{role}" for role in Role}

    class Scrolled(Message):
        """Another part of the sheet is visible, or its lines changed."""

        def __init__(self, sheet: "Sheet") -> None:
            super().__init__()
            self.sheet = sheet

        @property
        def control(self) -> "Sheet":
            """The sheet that scrolled."""
            return self.sheet

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._laid_out_for = 0
        self._drawn: dict[int, DrawnLine | None] = {}
        """The content of each row of the screen."""

    def lines_for(self, width: int) -> Sequence[Line]:
        """Return the lines for a width; subclasses implement it."""
        raise NotImplementedError

    def relayout(self) -> None:
        """Lay the lines out again after their content changed."""
        self._laid_out_for = width = self._text_width
        self._lines = self.lines_for(width) if width > 0 else ()
        self.virtual_size = Size(width, len(self._lines))
        self.redraw_changed()
        self.call_after_refresh(self._post_scrolled)

    def redraw_changed(self) -> None:
        """Redraw the visible rows that changed; drawing a row is far more expensive."""
        size, top, marked = self.size, self.scroll_offset.y, self.highlighted_rows
        lines, drawn, end = self._lines, self._drawn, len(self._lines)
        changed = []
        for y in range(size.height):
            row = top + y
            content = (lines[row], row in marked) if row < end else None
            if y not in drawn or drawn[y] != content:
                changed.append(Region(0, y, size.width, 1))
        if changed:
            self.refresh(*changed)

    @property
    def rows_below(self) -> int:
        """How many lines are below the visible part."""
        return max(0, len(self._lines) - self.scroll_offset.y - self.size.height)

    @property
    def last_visible_row(self) -> int:
        """The number of lines from the top to the end of the visible part."""
        return min(len(self._lines), self.scroll_offset.y + self.size.height)

    def on_resize(self, _event: events.Resize) -> None:
        """Wrap again if the width changed."""
        if self._text_width != self._laid_out_for:
            self.relayout()
        else:
            self.call_after_refresh(self._post_scrolled)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell the screen that other rows are visible."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.call_after_refresh(self._post_scrolled)

    def render_line(self, y: int) -> Strip:
        """Draw one row of the screen, and note what it shows."""
        self._drawn[y] = content = self._row_content(y)
        if content is None:
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        pieces, is_highlighted = content
        strip = self._styled_strip(pieces)
        return self.marked(strip) if is_highlighted else strip

    @property
    def highlighted_rows(self) -> range:
        """The highlighted rows; subclasses may override it."""
        return _NONE

    def marked(self, strip: Strip) -> Strip:
        """Return a highlighted row; subclasses with such rows implement it."""
        return strip

    def _row_content(self, y: int) -> DrawnLine | None:
        """Return everything that a row depends on; None below the last line."""
        row = self.scroll_offset.y + y
        return (self._lines[row], row in self.highlighted_rows) if row < len(self._lines) else None

    def _styled_strip(self, pieces: Line) -> Strip:
        """Return the pieces in the style of their roles."""
        cells = [Segment(piece.text, self._style_of(piece.role)) for piece in pieces]
        whole = Strip(cells).adjust_cell_length(self.size.width)
        return whole.apply_style(self.visual_style.rich_style)

    def _style_of(self, role: Role) -> Style:
        """The role's own colors; the background is that of the row."""
        return self.get_component_rich_style(f"sheet--{role}", partial=True)

    def action_scroll_down(self) -> None:
        """Scroll down a line."""
        self.scroll_relative(y=1, animate=False)

    def action_scroll_up(self) -> None:
        """Scroll up a line."""
        self.scroll_relative(y=-1, animate=False)

    def action_scroll_home(self) -> None:
        """Scroll to the top."""
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        """Scroll to the end."""
        self.scroll_end(animate=False)

    def action_page_down(self) -> None:
        """Scroll down a screenful."""
        self.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll up a screenful."""
        self.scroll_page_up(animate=False)

    @property
    def _text_width(self) -> int:
        """The style sheet reserves a gutter, so a scroll bar that appears moves nothing."""
        return max(0, self.scrollable_content_region.width)

    def _post_scrolled(self) -> None:
        self.post_message(self.Scrolled(self))


SCROLL_FIRST: Final = fmt("scroll down first (PgDn).")
"""Why a button waits; how many lines are left is below the sheet."""


class ReadSheet(Sheet):
    """A sheet that must be read to its end."""

    @property
    def more(self) -> SafeText:
        """The note that there is more below."""
        below = self.rows_below
        return fmt("more below: {} (PgDn)", counted(below, "line")) if below else SafeText("")

    def action_read(self, step: int) -> None:
        """Scroll by less than a screenful, so that no line is skipped."""
        self.scroll_relative(y=step * max(1, self.size.height - 1), animate=False)
