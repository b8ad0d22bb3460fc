"""A list of entries under headings, with a cursor that stays on its entry.

Owns: the positions of entries. Never: deciding which entries there are or what they mean.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import BLANK, Line, Piece, Role, crop, fmt, justify, line, wrap_text
from approver_tui.widgets.row_list import RowList


@dataclass(frozen=True, slots=True)
class Entry:
    """Two lines about an item."""

    id: str
    first: SafeText
    second: SafeText
    state: SafeText
    """Text at the end of the first line, which is never cut."""
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A group of entries with a heading."""

    heading: SafeText
    entries: tuple[Entry, ...]
    heading_note: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """Text at the end of the heading."""
    empty: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """The text that is shown if there are no entries."""


class EntryList(RowList):
    """A list of sections."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._sections: tuple[Section, ...] = ()
        self._cursor: str | None = None

    @property
    def cursor(self) -> str | None:
        """The ID of the entry under the cursor."""
        return self._cursor

    def show(self, sections: Iterable[Section], cursor: str | None) -> None:
        """Draw the sections and the cursor; keep the scroll position."""
        view = tuple(sections), cursor
        if view != (self._sections, self._cursor):
            has_moved = cursor != self._cursor
            self._sections, self._cursor = view
            self.relayout()
            if has_moved:
                self.call_after_refresh(self._keep_cursor_visible)

    def lines_for(self, width: int) -> list[Line]:
        """Return the lines of all sections."""
        lines: list[Line] = []
        self._first_lines = {}
        for section in self._sections:
            lines += [BLANK] if lines else []
            lines += [_heading(section, width), BLANK]
            for entry in section.entries:
                self._first_lines[entry.id] = len(lines)
                lines += self._entry_lines(entry, width)
            if not section.entries:
                lines += wrap_text(section.empty, width, Role.DIM, indent=1)
        return lines

    def _entry_lines(self, entry: Entry, width: int) -> list[Line]:
        pointer = Piece(fmt(">") if entry.id == self._cursor else fmt(" "), Role.STRONG)
        role = Role.DIM if entry.is_over else Role.PLAIN
        first_piece = Piece(fmt(" {}", entry.first), role)
        state = Piece(fmt(" {}", entry.state), role)
        second_line = crop(entry.second, width - 4)
        return [
            justify((pointer, first_piece), (state,), width),
            line(fmt("    {}", second_line), Role.DIM),
        ]


def _heading(section: Section, width: int) -> Line:
    heading = Piece(section.heading, Role.HEADING)
    return justify((heading,), (Piece(section.heading_note, Role.DIM),), width)
