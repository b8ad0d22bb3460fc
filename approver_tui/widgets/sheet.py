"""A scrolling sheet of lines, laid out for its width.

Owns: drawing only the rows that changed; scrolling with keys; which rows are on the screen. Never:
the content of the lines, which the subclass's `lines_for` returns.
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

from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.lines import Line, Role, fmt

SCROLLING: list[BindingType] = [
    Binding("j,down", "scroll_down", show=False),
    Binding("k,up", "scroll_up", show=False),
    Binding("g,home", "scroll_home", show=False),
    Binding("G,end", "scroll_end", show=False),
    Binding("ctrl+d,pagedown", "page_down", show=False),
    Binding("ctrl+u,pageup", "page_up", show=False),
]
"""The bindings of keys that scroll."""

_NO_ROWS = range(0)

DrawnLine = tuple[Line, bool]
"""A line, and whether it is highlighted."""


class Sheet(ScrollView):
    """A sheet of lines that scrolls only vertically."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"sheet--{role}" for role in Role}

    class Scrolled(Message):
        """A different part of the sheet is visible, or its lines changed."""

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
        """The content last drawn in each row of the widget."""

    def lines_for(self, width: int) -> Sequence[Line]:
        """Return the lines for a width; subclasses implement it."""
        raise NotImplementedError

    def relayout(self) -> None:
        """Get the lines again, because their content or the width changed, and redraw."""
        self._laid_out_for = width = self._text_width
        self._lines = self.lines_for(width) if width > 0 else ()
        self.virtual_size = Size(width, len(self._lines))
        self.redraw_changed()
        self.call_after_refresh(self._post_scrolled)

    def redraw_changed(self) -> None:
        """Redraw only the visible rows that changed, as drawing costs far more than comparing."""
        size, top, highlighted = self.size, self.scroll_offset.y, self.highlighted_rows
        lines, drawn, end = self._lines, self._drawn, len(self._lines)
        changed = []
        for y in range(size.height):
            row = top + y
            content = (lines[row], row in highlighted) if row < end else None
            if y not in drawn or drawn[y] != content:
                changed.append(Region(0, y, size.width, 1))
        if changed:
            self.refresh(*changed)

    @property
    def rows_below(self) -> int:
        """The number of lines below the visible part."""
        return max(0, len(self._lines) - self.scroll_offset.y - self.size.height)

    @property
    def last_visible_row(self) -> int:
        """The number of lines from the top to the end of the visible part.

        It is 0 until the lines are laid out for the current width: the visible part then belongs to
        the new width, and the lines to the old one.
        """
        if self._text_width != self._laid_out_for:
            return 0
        return min(len(self._lines), self.scroll_offset.y + self.size.height)

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out again if the width changed."""
        if self._text_width != self._laid_out_for:
            self.relayout()
        else:
            self.call_after_refresh(self._post_scrolled)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Post `Scrolled` if other rows are now visible."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.call_after_refresh(self._post_scrolled)

    def render_line(self, y: int) -> Strip:
        """Draw a row, and record its content."""
        self._drawn[y] = content = self._row_content(y)
        if content is None:
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        pieces, is_highlighted = content
        strip = self._styled_strip(pieces)
        return self.highlight(strip) if is_highlighted else strip

    @property
    def highlighted_rows(self) -> range:
        """The indexes of highlighted lines; subclasses may override it."""
        return _NO_ROWS

    def highlight(self, strip: Strip) -> Strip:
        """Return the strip in highlighted style; subclasses with highlighted rows override it."""
        return strip

    def _row_content(self, y: int) -> DrawnLine | None:
        """Return the line of a row and whether it is highlighted; None below the last line."""
        row = self.scroll_offset.y + y
        return (self._lines[row], row in self.highlighted_rows) if row < len(self._lines) else None

    def _styled_strip(self, pieces: Line) -> Strip:
        """Return the pieces in the styles of their roles."""
        segments = [Segment(piece.text, self._style_for(piece.role)) for piece in pieces]
        strip = Strip(segments).adjust_cell_length(self.size.width)
        return strip.apply_style(self.visual_style.rich_style)

    def _style_for(self, role: Role) -> Style:
        """Return the style of a role, without the background, which comes from the row."""
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
        """The width for text; the style sheet reserves room for the scroll bar."""
        return max(0, self.scrollable_content_region.width)

    def _post_scrolled(self) -> None:
        self.post_message(self.Scrolled(self))


READING: list[BindingType] = [
    Binding("pagedown,down,ctrl+d,j", "read(1)", show=False),
    Binding("pageup,up,ctrl+u,k", "read(-1)", show=False),
]
"""The bindings of a panel whose focus is not on its `ReadSheet`."""

SCROLL_FIRST: Final = fmt("scroll down first (PgDn).")
"""The hint of a button that is unavailable until the sheet is read to its end."""
SCROLL_UP: Final = fmt("scroll up first (PgUp).")
"""The hint at the end of the sheet, if lines above were skipped."""


class ReadSheet(Sheet):
    """A sheet that must be read to its end."""

    @property
    def more_hint(self) -> SafeText:
        """The hint that says how many lines are below; empty if none are."""
        below = self.rows_below
        return fmt("more below: {} (PgDn)", pluralize(below, "line")) if below else SafeText("")

    def action_read(self, step: int) -> None:
        """Scroll by a screenful less one line, so that no line is skipped."""
        self.scroll_relative(y=step * max(1, self.size.height - 1), animate=False)
