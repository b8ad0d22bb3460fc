"""The list of approvals, with a cursor that stays on its approval.

Owns: the position of rows, and the heading above new ones. Never: sorts, drops or adds a row; it
draws the inbox that the screen passes in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, overload

from textual import events
from textual.geometry import Size

from approver_tui.messages import MarkWanted
from approver_tui.state.approvals.approvals import Approval, Unverified
from approver_tui.state.approvals.inbox import Inbox, by_agent, waits_for_others
from approver_tui.state.approvals.look_alikes import Fold, Folding
from approver_tui.state.approvals.marks import why_not_marked
from approver_tui.state.keymap import AS_THEY_ARE, Keymap
from approver_tui.state.notifications.preferences import ALL_RINGS, NotificationPrefs
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.rows import INDENT, AnswerProgress, InboxRow, row_lines
from approver_tui.widgets.lines import (
    BLANK,
    Line,
    Piece,
    Role,
    crop,
    line,
    say,
    spread,
    text_of,
    wrapped,
)
from approver_tui.widgets.notifications.quiet import quiet_mark
from approver_tui.widgets.row_list import ROW_HEIGHT, RowList

Maker = Callable[[], Line]
"""Makes one line."""


@dataclass(frozen=True, slots=True)
class ListView:
    """Everything that the list draws."""

    inbox: Inbox = field(default_factory=Inbox)
    selected: str | None = None
    """The ID of the approval under the cursor."""
    arrived: frozenset[str] = frozenset()
    """The IDs of new rows, listed below the heading since the last sort."""
    unverified: tuple[Unverified, ...] = ()
    """Listed requests that cannot be verified; they come last, and the cursor skips them."""
    doing: Mapping[str, AnswerProgress] = field(default_factory=dict)
    now: int = 0
    keys: Keymap = AS_THEY_ARE
    me: str | None = None
    """The ID of the current user."""
    is_loaded: bool = False
    is_asked: bool = True
    """Whether the list is being loaded for the first time."""
    typed: SafeText = SafeText("")  # noqa: RUF009  # a SafeText never changes
    """The filter as typed."""
    hidden: int = 0
    """How many approvals the filter hides."""
    opened: frozenset[str] = frozenset()
    """The looks that are expanded."""
    marks: tuple[Approval, ...] = ()
    """The marked requests, to answer at once."""
    attention: NotificationPrefs = ALL_RINGS
    """The user's notification settings."""

    @property
    def marked(self) -> frozenset[str]:
        """The IDs of the marked requests."""
        return frozenset(each.id for each in self.marks)

    def stands_like(self, other: "ListView") -> bool:
        """Whether all lines keep their positions; time and cursor change only their style."""
        return self == replace(other, selected=self.selected, doing=self.doing, now=self.now)

    def grew_from(self, other: "ListView") -> bool:
        """Whether only events changed the view, and not a filter or a refresh."""
        is_same = (self.selected, self.typed, self.opened) == (
            other.selected,
            other.typed,
            other.opened,
        )
        return is_same and other.is_loaded and other.arrived <= self.arrived


class LazyLines(Sequence[Line]):
    """Lines that are made only when they are on the screen."""

    def __init__(self, makers: Sequence[Maker]) -> None:
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


class MadeRow(NamedTuple):
    """The lines of a row, and everything they depend on."""

    fold: Fold
    seen_as: tuple[object, ...]
    lines: tuple[Line, Line]


class ApprovalList(RowList):
    """Two lines for each approval, or for each group that looks alike."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._view = ListView()
        self._makers: Sequence[Maker] = ()
        self._is_folded = False
        """Whether a row stands for several requests; then it depends on time and cursor."""
        self._seen_as: tuple[object, ...] = ()
        """What rows depend on besides their content; the same object while it is equal."""
        self._known_rows: dict[str, MadeRow] = {}
        self._current_rows: dict[str, tuple[Line, Line]] = {}
        """The lines that are valid for the current view and width."""

    def show(self, view: ListView) -> None:
        """Draw another view; the scroll position stays."""
        if view == self._view:
            return
        before, self._view = self._view, view
        self._current_rows = {}
        if view.stands_like(before) and not self._is_folded:
            self._note_how_rows_are_seen(self._laid_out_for)
            self.touch_up()
        elif view.grew_from(before):
            self._relay_in_place()
        else:
            self.relay()
        if view.selected != before.selected:
            self.call_after_refresh(self._keep_cursor_visible)

    def _relay_in_place(self) -> None:
        """Keep the row under the cursor on its screen line, whatever was added above it.

        Rows above make room; if the list is too short to scroll that far, blank lines follow it. A
        row that moved itself is followed.
        """
        before, top = self._places, self.scroll_offset.y
        self.relay()
        after = self._places
        stood, stands = before.get(self.cursor or ""), after.get(self.cursor or "")
        if stood is None or stands is None:
            return
        if _above(before, stood) & after.keys() != _above(after, stands) & before.keys():
            self.call_after_refresh(self._keep_cursor_visible)
            return
        top = max(0, top + stands - stood)
        if top:
            self._pad(top + self.size.height - len(self._lines))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def _pad(self, count: int) -> None:
        if count > 0:
            self._lines = LazyLines([*self._makers, *[_blank] * count])
            self.virtual_size = Size(self.virtual_size.width, len(self._lines))

    def lines_for(self, width: int) -> Sequence[Line]:
        """Return heading, rows and new rows; each line is made when it is drawn."""
        view = self._view
        first, late, held, others = self._parts()
        lines: list[Maker] = [partial(self._heading, width), _blank]
        self._places, self._is_folded, self._current_rows = {}, False, {}
        self._note_how_rows_are_seen(width)
        self._place(first, width, lines)
        if late:
            lines += [_blank, partial(self._divider, len(late))]
            self._place(late, width, lines)
        if held:
            lines += [_blank, partial(_held_heading, held, width)]
            self._place(held, width, lines)
        if others:
            lines += [_blank, partial(self._others_heading, others)]
            self._place(others, width, lines)
        if not view.inbox.rows:
            lines += _made(self._empty(width))
        lines += _made(_unverified(view.unverified, width))
        self._makers = lines
        self._known_rows = {
            id_: row for id_, row in self._known_rows.items() if id_ in self._places
        }
        return LazyLines(lines)

    def _note_how_rows_are_seen(self, width: int) -> None:
        """Note what rows depend on; within a second, a row changes only if this does."""
        view, second = self._view, self._view.now // 1000
        seen_as = (width, second, view.selected, view.doing, view.me, view.marks, view.attention)
        if seen_as != self._seen_as:
            self._seen_as = seen_as

    def _parts(self) -> tuple[list[Approval], ...]:
        """Return the sorted rows, the new ones, those held back, and those that wait for others."""
        view = self._view
        parts: tuple[list[Approval], ...] = ([], [], [], [])
        first, late, held, others = parts
        for row in view.inbox.rows:
            if waits_for_others(row, view.me):
                others.append(row)
            elif row.is_held_back:
                held.append(row)
            else:
                (late if row.id in view.arrived else first).append(row)
        return parts

    def _place(self, rows: Iterable[Approval], width: int, lines: list[Maker]) -> None:
        view = self._view
        for fold in Folding(view.opened, view.selected, view.now, view.marked).folds(rows):
            self._places[fold.shown.id] = len(lines)
            self._is_folded |= fold.stands_for_more
            lines += [partial(self._half, fold, width, half) for half in range(ROW_HEIGHT)]

    def _half(self, fold: Fold, width: int, half: int) -> Line:
        lines = self._current_rows.get(fold.shown.id)
        if lines is None:
            known = self._known_rows.get(fold.shown.id)
            is_same = known is not None and known.seen_as is self._seen_as and known.fold == fold
            lines = known.lines if known is not None and is_same else self._row(fold, width)
            self._current_rows[fold.shown.id] = lines
        return lines[half]

    def _row(self, fold: Fold, width: int) -> tuple[Line, Line]:
        """Make the lines of a row."""
        view, shown = self._view, fold.shown.id
        is_selected = shown == view.selected
        has_box = self._has_box(fold)
        quiet = quiet_mark(fold.shown, view.attention)
        row = InboxRow(fold, view.now, view.doing.get(shown), is_selected, view.me, has_box, quiet)
        lines = row_lines(row, width)
        self._known_rows[shown] = MadeRow(fold, self._seen_as, lines)
        return lines

    def _has_box(self, fold: Fold) -> bool:
        """Show checkboxes while anything is marked, on rows that are or could be marked."""
        view, shown = self._view, fold.shown
        if not view.marks or fold.marked:
            return bool(fold.marked)
        return shown.is_waiting(view.now) and not why_not_marked(shown, view.marks)

    def on_click(self, event: events.Click) -> None:
        """Mark by a click on a checkbox; elsewhere a click moves the cursor or opens the row."""
        row_id = self._box_at(*self.clicked(event))
        if row_id is None:
            super().on_click(event)
        else:
            event.prevent_default()
            self.post_message(MarkWanted(row_id))

    def _box_at(self, x: int, line: int) -> str | None:
        """The row whose checkbox was clicked: at the left of its second line."""
        for row_id, place in self._places.items():
            if line == place + 1 and x < INDENT and text_of(self._lines[line]).startswith("["):
                return row_id
        return None

    @property
    def cursor(self) -> str | None:
        """The selected approval."""
        return self._view.selected

    def _heading(self, width: int) -> Line:
        waiting = self._view.inbox.waiting(self._view.now)
        if not self._view.is_loaded:
            known = say("WAITING FOR YOU ({})  as last known", len(waiting))
            unknown = say("WAITING FOR YOU (not known)")
            return line(known if self._view.inbox.rows else unknown, Role.HEADING)
        mine = [row for row in waiting if not waits_for_others(row, self._view.me)]
        count = sum(not row.is_held_back for row in mine)
        if not self._view.typed:
            heading = Piece(say("WAITING FOR YOU ({})", count), Role.HEADING)
            return spread((heading,), (Piece(say("soonest first"), Role.DIM),), width)
        heading = Piece(say("WAITING ({})  / {}", count, self._view.typed), Role.HEADING)
        return spread((heading,), (Piece(say("{} hidden", self._view.hidden), Role.ALERT),), width)

    def _others_heading(self, others: Sequence[Approval]) -> Line:
        """The heading above requests that the user approved and others have not."""
        count = sum(row.is_waiting(self._view.now) for row in others)
        return line(say("WAITING FOR OTHERS ({})", count), Role.HEADING)

    def _divider(self, count: int) -> Line:
        key = self._view.keys.key("refresh")
        return line(say("NEW ({})  {} sorts them in", count, key), Role.HEADING)

    def _empty(self, width: int) -> list[Line]:
        if not self._view.is_loaded:
            is_asked = self._view.is_asked
            unasked = say("No connection to the server.")
            return line_block(say("Loading…") if is_asked else unasked, width)
        if self._view.typed:
            key = self._view.keys.key("filter")
            return line_block(say("No matches. Press {} and Enter to show all.", key), width)
        nothing = say("No requests that you can answer.")
        return [
            *line_block(
                nothing if self._view.unverified else say("No requests are waiting for you."), width
            ),
            BLANK,
            *line_block(say("New requests appear here."), width),
        ]


def _above(places: Mapping[str, int], line: int) -> set[str]:
    """The rows that start above a line."""
    return {each for each, place in places.items() if place < line}


def _held_heading(held: Sequence[Approval], width: int) -> Line:
    """The heading above held-back requests: how many, and from which agents."""
    parts = [say("{}: {}", name, count) for name, count in by_agent(held)]
    words = say("HELD BACK ({})  {}", len(held), SafeText(", ".join(parts)))
    return line(crop(words, width), Role.HEADING)


def _blank() -> Line:
    return BLANK


def _made(lines: Iterable[Line]) -> list[Maker]:
    return [partial(_itself, made) for made in lines]


def _itself(made: Line) -> Line:
    return made


def _unverified(listed: Sequence[Unverified], width: int) -> list[Line]:
    """Show only the ID of such a request: nothing else about it is verified."""
    if not listed:
        return []
    heading = line(say("NOT VERIFIED ({})  cannot be answered", len(listed)), Role.ALERT)
    rows = [[*wrapped(each.id, width, indent=2), *_problem(each, width)] for each in listed]
    return [BLANK, heading, *(made for row in rows for made in row)]


def _problem(each: Unverified, width: int) -> list[Line]:
    return wrapped(each.problem, width, Role.DIM, indent=4)


def line_block(text: SafeText, width: int) -> list[Line]:
    """Return a paragraph, indented like the rows."""
    return wrapped(text, width, Role.DIM, indent=1)
