"""The list of approvals, with a cursor that stays on its approval.

Owns: where rows stand, the divider above what came later, moving the cursor by keys and clicks.
Never: sorts, drops or adds a row; it draws the inbox that the screen hands down.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, overload

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from approver_tui.messages import Opened, Selected
from approver_tui.state.approvals import Approval, Unverified
from approver_tui.state.inbox import Inbox
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import BLANK, Line, Piece, Role, line, say, spread, wrapped
from approver_tui.widgets.rows import Doing, Row, row_lines
from approver_tui.widgets.sheet import Sheet

_ROW_HEIGHT = 2
Maker = Callable[[], Line]
"""Makes one line."""


@dataclass(frozen=True, slots=True)
class ListView:
    """All that the list draws."""

    inbox: Inbox = field(default_factory=Inbox)
    selected: str | None = None
    """The id of the approval under the cursor."""
    arrived: frozenset[str] = frozenset()
    """Ids that came after the list was last put in order; they stand below the divider."""
    unverified: tuple[Unverified, ...] = ()
    """What is listed and cannot be answered; it stands last, and the cursor never on it."""
    doing: Mapping[str, Doing] = field(default_factory=dict)
    now: int = 0
    is_loaded: bool = False


class MadeWhenDrawn(Sequence[Line]):
    """Lines of a list that may be long, where only those on screen are worth making."""

    def __init__(self, makers: Sequence[Maker]) -> None:
        self._makers = makers

    def __len__(self) -> int:
        return len(self._makers)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> "MadeWhenDrawn": ...
    def __getitem__(self, index: int | slice) -> "Line | MadeWhenDrawn":
        if isinstance(index, slice):
            return MadeWhenDrawn(self._makers[index])
        return self._makers[index]()


class ApprovalList(Sheet, can_focus=True):
    """Two lines per approval."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("g,home", "move_to(0)", show=False),
        Binding("G,end", "move_to(-1)", show=False),
        Binding("ctrl+d,pagedown", "page(1)", show=False),
        Binding("ctrl+u,pageup", "page(-1)", show=False),
        Binding("enter", "open", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(id=id)
        self._view = ListView()
        self._places: dict[str, int] = {}

    def show(self, view: ListView) -> None:
        """Draw another view; the part on screen stays where it is."""
        if view != self._view:
            moved = view.selected != self._view.selected
            self._view = view
            self.relay()
            if moved:
                self.call_after_refresh(self._keep_cursor_visible)

    def lines_for(self, width: int) -> Sequence[Line]:
        """Return heading, rows, divider and what came later, each made when it is drawn."""
        view = self._view
        late = [row for row in view.inbox.rows if row.id in view.arrived]
        lines: list[Maker] = [partial(self._heading, width), _blank]
        self._places = {}
        self._place([row for row in view.inbox.rows if row.id not in view.arrived], width, lines)
        if late:
            lines += [_blank, partial(self._divider, len(late))]
            self._place(late, width, lines)
        if not view.inbox.rows:
            lines += _made(self._empty(width))
        lines += _made(_unverified(view.unverified, width))
        return MadeWhenDrawn(lines)

    def _place(self, rows: Iterable[Approval], width: int, lines: list[Maker]) -> None:
        for approval in rows:
            self._places[approval.id] = len(lines)
            lines += [partial(self._half, approval, width, half) for half in range(_ROW_HEIGHT)]

    def _half(self, approval: Approval, width: int, half: int) -> Line:
        view = self._view
        is_selected = approval.id == view.selected
        row = Row(approval, view.now, view.doing.get(approval.id), is_selected)
        return row_lines(row, width)[half]

    def draw(self, row: int, pieces: Line) -> Strip:
        """Mark the rows under the cursor over their whole width."""
        strip = self.styled(pieces)
        place = self._places.get(self._view.selected or "", -_ROW_HEIGHT)
        if not place <= row < place + _ROW_HEIGHT:
            return strip
        ground = self.get_component_rich_style("approval-list--cursor").bgcolor
        return Strip(Segment.apply_style(strip, post_style=Style(bgcolor=ground)))

    COMPONENT_CLASSES: ClassVar[set[str]] = {"approval-list--cursor"}

    def action_move(self, step: int) -> None:
        """Move the cursor by `step` rows."""
        self.action_move_to(max(0, self._index + step))

    def action_page(self, step: int) -> None:
        """Move the cursor by a screenful."""
        self.action_move(step * max(1, self.size.height // _ROW_HEIGHT - 1))

    def action_move_to(self, index: int) -> None:
        """Move the cursor to a row; -1 is the last."""
        ids = list(self._places)
        if ids:
            self.post_message(Selected(ids[min(index, len(ids) - 1)]))

    def action_open(self) -> None:
        """Ask for the approval under the cursor to be opened."""
        if self._view.selected is not None:
            self.post_message(Opened(self._view.selected))

    def on_click(self, event: events.Click) -> None:
        """Move to the clicked row; a click on the row under the cursor opens it."""
        row = event.y + self.scroll_offset.y
        for approval_id, place in self._places.items():
            if place <= row < place + _ROW_HEIGHT:
                is_there = approval_id == self._view.selected
                self.post_message(Opened(approval_id) if is_there else Selected(approval_id))

    @property
    def _index(self) -> int:
        ids = list(self._places)
        return ids.index(self._view.selected) if self._view.selected in ids else 0

    def _heading(self, width: int) -> Line:
        count = len(self._view.inbox.waiting(self._view.now))
        heading = Piece(say("WAITING FOR YOU ({})", count), Role.HEADING)
        return spread((heading,), (Piece(say("soonest first"), Role.DIM),), width)

    def _divider(self, count: int) -> Line:
        return line(say("ARRIVED SINCE ({})  r sorts them in", count), Role.HEADING)

    def _empty(self, width: int) -> list[Line]:
        if not self._view.is_loaded:
            return line_block(say("Asking the server .."), width)
        nothing = say("Nothing that you can answer waits.")
        return [
            *line_block(nothing if self._view.unverified else say("Nothing waits for you."), width),
            BLANK,
            *line_block(say("When an agent asks, its request appears here by itself."), width),
        ]

    def _keep_cursor_visible(self) -> None:
        place = self._places.get(self._view.selected or "")
        if place is not None:
            is_last = place == max(self._places.values())
            top = 0 if place == _ROW_HEIGHT else place
            end = len(self._lines) if is_last else place + _ROW_HEIGHT
            height = min(end - top, max(_ROW_HEIGHT, self.size.height))
            self.scroll_to_region(Region(0, top, 1, height), animate=False, force=True)


def _blank() -> Line:
    return BLANK


def _made(lines: Iterable[Line]) -> list[Maker]:
    return [partial(_itself, made) for made in lines]


def _itself(made: Line) -> Line:
    return made


def _unverified(listed: Sequence[Unverified], width: int) -> list[Line]:
    """Nothing of such a request is shown but its id: nothing else of it is known to be true."""
    if not listed:
        return []
    heading = line(say("NOT VERIFIED ({})  cannot be answered", len(listed)), Role.ALERT)
    rows = [[*wrapped(each.id, width, indent=2), *_problem(each, width)] for each in listed]
    return [BLANK, heading, *(made for row in rows for made in row)]


def _problem(each: Unverified, width: int) -> list[Line]:
    return wrapped(each.problem, width, Role.DIM, indent=4)


def line_block(text: SafeText, width: int) -> list[Line]:
    """Return a calm paragraph, indented like the rows."""
    return wrapped(text, width, Role.DIM, indent=1)
