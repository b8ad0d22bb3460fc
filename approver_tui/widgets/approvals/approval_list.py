"""The list of approvals, with a cursor that stays on its approval.

Owns: the positions of rows, the headings above sections. Never: sorting, dropping or adding a row;
it draws the inbox that the screen passes in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, overload

from textual import events
from textual.geometry import Size

from approver_tui.messages import CheckboxClicked
from approver_tui.state.approvals.approvals import Approval, Unverified
from approver_tui.state.approvals.inbox import Inbox, by_agent, waits_for_others
from approver_tui.state.approvals.look_alikes import Fold, Folding
from approver_tui.state.approvals.selection import selection_blocker
from approver_tui.state.keymap import DEFAULT_KEYMAP, Keymap
from approver_tui.state.notifications.preferences import DEFAULT_PREFS, NotificationPrefs
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.rows import INDENT, AnswerProgress, InboxRow, row_lines
from approver_tui.widgets.lines import (
    BLANK,
    Line,
    Piece,
    Role,
    crop,
    fmt,
    justify,
    line,
    text_of,
    wrap_text,
)
from approver_tui.widgets.notice_lines import LOADING
from approver_tui.widgets.notifications.quiet import quiet_word
from approver_tui.widgets.row_list import ROW_HEIGHT, RowList

LineMaker = Callable[[], Line]
"""Returns a line."""


@dataclass(frozen=True, slots=True)
class ListView:
    """The data that the list draws."""

    inbox: Inbox = field(default_factory=Inbox)
    cursor_id: str | None = None
    """The ID of the approval under the cursor."""
    arrived_ids: frozenset[str] = frozenset()
    """The IDs of requests that arrived since the last sort, listed below their own heading."""
    unverified: tuple[Unverified, ...] = ()
    """Requests that failed verification; they come last, and the cursor skips them."""
    in_progress: Mapping[str, AnswerProgress] = field(default_factory=dict)
    now: int = 0
    keys: Keymap = DEFAULT_KEYMAP
    me: str | None = None
    """The ID of the current user."""
    is_loaded: bool = False
    is_loading: bool = True
    """Whether the list is being loaded for the first time."""
    typed: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """The filter as typed."""
    hidden: int = 0
    """How many approvals the filter hides."""
    expanded_looks: frozenset[str] = frozenset()
    """The look keys of the groups that are expanded."""
    selection: tuple[Approval, ...] = ()
    """The selected requests, to be answered together."""
    prefs: NotificationPrefs = DEFAULT_PREFS
    """The user's notification settings."""

    @property
    def selected_ids(self) -> frozenset[str]:
        """The IDs of the selected requests."""
        return frozenset(approval.id for approval in self.selection)

    def has_same_layout(self, other: "ListView") -> bool:
        """Whether all lines keep their positions, as only time, cursor or progress changed."""
        return self == replace(
            other, cursor_id=self.cursor_id, in_progress=self.in_progress, now=self.now
        )

    def extends(self, other: "ListView") -> bool:
        """Whether only events changed the view, not the cursor, a filter or a refresh."""
        has_same_basis = (self.cursor_id, self.typed, self.expanded_looks) == (
            other.cursor_id,
            other.typed,
            other.expanded_looks,
        )
        return has_same_basis and other.is_loaded and other.arrived_ids <= self.arrived_ids


class LazyLines(Sequence[Line]):
    """Lines that are created only when they are drawn."""

    def __init__(self, makers: Sequence[LineMaker]) -> None:
        self._makers = makers

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> "LazyLines": ...
    def __getitem__(self, index: int | slice) -> "Line | LazyLines":
        if isinstance(index, slice):
            return LazyLines(self._makers[index])
        return self._makers[index]()


class CachedRow(NamedTuple):
    """The lines of a row, with everything they depend on."""

    fold: Fold
    render_key: tuple[object, ...]
    lines: tuple[Line, Line]


class ApprovalList(RowList):
    """The list, with two lines for each approval or group of look-alikes."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._view = ListView()
        self._makers: Sequence[LineMaker] = ()
        self._is_folded = False
        """Whether any row shows a group; then the layout depends on time and cursor."""
        self._render_key: tuple[object, ...] = ()
        """What rows depend on besides their approval; replaced only when its value changes."""
        self._cached_rows: dict[str, CachedRow] = {}
        self._current_rows: dict[str, tuple[Line, Line]] = {}
        """Lines that are valid for the current view and width, by ID."""

    def show(self, view: ListView) -> None:
        """Draw a new view; keep the scroll position."""
        if view == self._view:
            return
        before, self._view = self._view, view
        self._current_rows = {}
        if view.has_same_layout(before) and not self._is_folded:
            self._update_render_key(self._laid_out_for)
            self.redraw_changed()
        elif view.extends(before):
            self._relayout_in_place()
        else:
            self.relayout()
        if view.cursor_id != before.cursor_id:
            self.call_after_refresh(self._keep_cursor_visible)

    def _relayout_in_place(self) -> None:
        """Lay out again, but keep the row under the cursor on the same line of the screen.

        If the list is too short to scroll that far, blank lines are added below it. If the row
        itself moved among the others, scroll to it instead.
        """
        before, top, cursor = self._first_lines, self.scroll_offset.y, self.cursor or ""
        self.relayout()
        after = self._first_lines
        if cursor not in before or cursor not in after:
            return
        line_before, line_after = before[cursor], after[cursor]
        above_before, above_after = _rows_above(before, line_before), _rows_above(after, line_after)
        if above_before & after.keys() != above_after & before.keys():
            self.call_after_refresh(self._keep_cursor_visible)
            return
        top = max(0, top + line_after - line_before)
        if top:
            self._pad(top + self.size.height - len(self._lines))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def _pad(self, count: int) -> None:
        if count > 0:
            self._lines = LazyLines([*self._makers, *[_blank] * count])
            self.virtual_size = Size(self.virtual_size.width, len(self._lines))

    def lines_for(self, width: int) -> Sequence[Line]:
        """Return all lines of the list; each is created when it is drawn."""
        view = self._view
        sorted_rows, arrived_rows, held_back, others = self._sections()
        lines: list[LineMaker] = [partial(self._heading, width), _blank]
        self._first_lines, self._is_folded, self._current_rows = {}, False, {}
        self._update_render_key(width)
        self._add_rows(sorted_rows, width, lines)
        for heading, rows in (
            (partial(self._arrived_heading, len(arrived_rows)), arrived_rows),
            (partial(_held_back_heading, held_back, width), held_back),
            (partial(self._others_heading, others), others),
        ):
            if rows:
                lines += [_blank, heading]
                self._add_rows(rows, width, lines)
        if not view.inbox.rows:
            lines += _fixed_lines(self._empty_lines(width))
        lines += _fixed_lines(_unverified_lines(view.unverified, width))
        self._makers = lines
        self._cached_rows = {
            id_: row for id_, row in self._cached_rows.items() if id_ in self._first_lines
        }
        return LazyLines(lines)

    def _update_render_key(self, width: int) -> None:
        """Update the render key; within a second, rows change only if it changes."""
        view, second = self._view, self._view.now // 1000
        render_key = (
            width,
            second,
            view.cursor_id,
            view.in_progress,
            view.me,
            view.selection,
            view.prefs,
        )
        if render_key != self._render_key:
            self._render_key = render_key

    def _sections(self) -> tuple[list[Approval], ...]:
        """Return the sorted, the arrived, the held-back and the waiting-for-others rows."""
        view = self._view
        parts: tuple[list[Approval], ...] = ([], [], [], [])
        sorted_rows, arrived_rows, held_back, others = parts
        for row in view.inbox.rows:
            if waits_for_others(row, view.me):
                others.append(row)
            elif row.is_held_back:
                held_back.append(row)
            else:
                (arrived_rows if row.id in view.arrived_ids else sorted_rows).append(row)
        return parts

    def _add_rows(self, rows: Iterable[Approval], width: int, lines: list[LineMaker]) -> None:
        view = self._view
        for fold in Folding(view.expanded_looks, view.cursor_id, view.now, view.selected_ids).folds(
            rows
        ):
            self._first_lines[fold.approval.id] = len(lines)
            self._is_folded |= fold.is_group
            lines += [
                partial(self._row_line, fold, width, line_index) for line_index in range(ROW_HEIGHT)
            ]

    def _row_line(self, fold: Fold, width: int, line_index: int) -> Line:
        lines = self._current_rows.get(fold.approval.id)
        if lines is None:
            row = self._cached_rows.get(fold.approval.id)
            is_same = row is not None and row.render_key is self._render_key and row.fold == fold
            lines = row.lines if row is not None and is_same else self._row(fold, width)
            self._current_rows[fold.approval.id] = lines
        return lines[line_index]

    def _row(self, fold: Fold, width: int) -> tuple[Line, Line]:
        """Create and cache the lines of a row."""
        view, row_id = self._view, fold.approval.id
        has_cursor = row_id == view.cursor_id
        has_box = self._has_box(fold)
        quiet = quiet_word(fold.approval, view.prefs)
        row = InboxRow(
            fold, view.now, view.in_progress.get(row_id), has_cursor, view.me, has_box, quiet
        )
        lines = row_lines(row, width)
        self._cached_rows[row_id] = CachedRow(fold, self._render_key, lines)
        return lines

    def _has_box(self, fold: Fold) -> bool:
        """Whether the row shows a checkbox: it is selected, or can be selected with the others."""
        view, approval = self._view, fold.approval
        if not view.selection or fold.selected_count:
            return bool(fold.selected_count)
        return approval.is_waiting(view.now) and not selection_blocker(approval, view.selection)

    def on_click(self, event: events.Click) -> None:
        """Toggle a clicked checkbox; elsewhere, move the cursor or open the row."""
        row_id = self._box_at(*self.click_position(event))
        if row_id is None:
            super().on_click(event)
        else:
            event.prevent_default()
            self.post_message(CheckboxClicked(row_id))

    def _box_at(self, x: int, line: int) -> str | None:
        """Return the row with a checkbox there: at the left of its second line."""
        for row_id, top in self._first_lines.items():
            if line == top + 1 and x < INDENT and text_of(self._lines[line]).startswith("["):
                return row_id
        return None

    @property
    def cursor(self) -> str | None:
        """The ID of the approval under the cursor."""
        return self._view.cursor_id

    def _heading(self, width: int) -> Line:
        waiting = self._view.inbox.waiting(self._view.now)
        if not self._view.is_loaded:
            last_known = fmt("WAITING FOR YOU ({})  as last known", len(waiting))
            unknown = fmt("WAITING FOR YOU (unknown)")
            return line(last_known if self._view.inbox.rows else unknown, Role.HEADING)
        mine = [row for row in waiting if not waits_for_others(row, self._view.me)]
        count = len([row for row in mine if not row.is_held_back])
        if not self._view.typed:
            heading = Piece(fmt("WAITING FOR YOU ({})", count), Role.HEADING)
            return justify((heading,), (Piece(fmt("soonest first"), Role.DIM),), width)
        heading = Piece(fmt("WAITING ({})  / {}", count, self._view.typed), Role.HEADING)
        return justify((heading,), (Piece(fmt("{} hidden", self._view.hidden), Role.ALERT),), width)

    def _others_heading(self, others: Sequence[Approval]) -> Line:
        """Return the heading above requests that wait only for other approvers."""
        count = sum(row.is_waiting(self._view.now) for row in others)
        return line(fmt("WAITING FOR OTHERS ({})", count), Role.HEADING)

    def _arrived_heading(self, count: int) -> Line:
        key = self._view.keys.key("refresh")
        return line(fmt("NEW ({})  {} sorts the list", count, key), Role.HEADING)

    def _empty_lines(self, width: int) -> list[Line]:
        if not self._view.is_loaded:
            no_connection = fmt("No connection to the server.")
            return _dim_paragraph(LOADING if self._view.is_loading else no_connection, width)
        if self._view.typed:
            key = self._view.keys.key("filter")
            return _dim_paragraph(fmt("No matches. Press {} and Enter to show all.", key), width)
        text = fmt("No requests are waiting for you.")
        if self._view.unverified:
            text = fmt("No requests that you can answer.")
        return [
            *_dim_paragraph(text, width),
            BLANK,
            *_dim_paragraph(fmt("New requests appear here."), width),
        ]


def _rows_above(tops: Mapping[str, int], line: int) -> set[str]:
    """Return the IDs of the rows that start above a line."""
    return {row_id for row_id, top in tops.items() if top < line}


def _held_back_heading(approvals: Sequence[Approval], width: int) -> Line:
    """Return the heading above held-back requests: how many there are from each agent."""
    parts = [fmt("{}: {}", name, count) for name, count in by_agent(approvals)]
    words = fmt("HELD BACK ({})  {}", len(approvals), SafeText(", ".join(parts)))
    return line(crop(words, width), Role.HEADING)


def _blank() -> Line:
    return BLANK


def _fixed_lines(lines: Iterable[Line]) -> list[LineMaker]:
    return [partial(_return_line, fixed) for fixed in lines]


def _return_line(fixed: Line) -> Line:
    return fixed


def _unverified_lines(listed: Sequence[Unverified], width: int) -> list[Line]:
    """Return lines that show only IDs and problems, because nothing else is verified."""
    if not listed:
        return []
    heading = line(fmt("NOT VERIFIED ({})  cannot be answered", len(listed)), Role.ALERT)
    rows = [[*wrap_text(row.id, width, indent=2), *_problem_lines(row, width)] for row in listed]
    return [BLANK, heading, *(row_line for row in rows for row_line in row)]


def _problem_lines(row: Unverified, width: int) -> list[Line]:
    return wrap_text(row.problem, width, Role.DIM, indent=4)


def _dim_paragraph(text: SafeText, width: int) -> list[Line]:
    """Return a dim paragraph, indented by one cell."""
    return wrap_text(text, width, Role.DIM, indent=1)
