"""The requests of a batch with checkboxes; tracks whether all lines were on the screen.

Owns: the pointer, the keys and clicks on checkboxes, which lines were visible. Never: the effect of
selecting a request.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size

from approver_tui.messages import RowMessage
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.batch import Batch, is_unusual, members
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import (
    BLANK,
    Line,
    Piece,
    Role,
    crop,
    fmt,
    labeled,
    length,
    line,
    wrap_text,
)
from approver_tui.widgets.sheet import ReadSheet

BOX = 5
"""The indent of a block in cells; its first line has the pointer and checkbox there."""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line with its block and its index in the block."""

    line: Line
    block: str = ""
    """The ID of the request, or a name for lines that belong to no request."""
    number: int = 0


def batch_lines(batch: Batch, pointed_id: str | None, view: RenderContext) -> list[PlacedLine]:
    """Return all lines; `pointed_id` is the ID of the request that Space selects."""
    shared = batch.shared
    blocks = {
        row.id: _block_lines(row, shared, _block_head(row, batch, pointed_id), view)
        for row in batch.rows
    }
    lines = []
    if batch.unusual:
        lines += _place_lines("unusual", wrap_text(_unusual_heading(batch), view.width, Role.ALERT))
        lines += _place_rows(batch.unusual, blocks)
    if batch.unusual and batch.usual:
        usual_heading = (line(fmt("NOTHING UNUSUAL ({})", len(batch.usual)), Role.HEADING),)
        lines += [PlacedLine(BLANK), *_place_lines("usual", usual_heading)]
    lines += _place_rows(batch.usual, blocks)
    return [*lines, PlacedLine(BLANK), *_place_lines("shared", _shared_lines(shared, view))]


def _place_rows(rows: Iterable[Approval], blocks: Mapping[str, list[Line]]) -> Iterator[PlacedLine]:
    for row in rows:
        yield from _place_lines(row.id, blocks[row.id])


def _unusual_heading(batch: Batch) -> SafeText:
    has_unselected = any(row.id not in batch.selected_ids for row in batch.unusual)
    return fmt(
        "UNUSUAL ({}){}", len(batch.unusual), fmt("  Space selects one" if has_unselected else "")
    )


def _place_lines(block: str, lines: Iterable[Line]) -> list[PlacedLine]:
    return [PlacedLine(content, block, number) for number, content in enumerate(lines)]


def _block_head(approval: Approval, batch: Batch, pointed_id: str | None) -> Line:
    box = fmt("[x]") if approval.id in batch.selected_ids else fmt("[ ]")
    pointer = fmt(">") if approval.id == pointed_id else fmt(" ")
    name = SafeText(approval.fingerprint)
    return (
        Piece(fmt("{}{} ", pointer, box), Role.STRONG),
        Piece(fmt("{}  ", name), Role.STRONG),
        Piece(fmt("{}  ", SafeText(approval.risk.value)), Role(approval.risk.value)),
    )


def _block_lines(
    approval: Approval, shared: Mapping[str, SafeText], head: Line, view: RenderContext
) -> list[Line]:
    facts = [fact for fact in approval.display.facts if fact.material]
    return [
        _head_line(head, approval.agent.name, view),
        *_indented_lines(approval.headline, view, Role.STRONG),
        *(row for fact in facts for row in _fact_lines(fact.label, fact.value, view)),
        *(
            row
            for text in _unshared_texts(approval, shared)
            for row in _indented_lines(text, view, Role.DIM)
        ),
        *(
            row
            for text in _unusual_texts(approval)
            for row in _indented_lines(text, view, Role.ALERT)
        ),
    ]


def _head_line(head: Line, agent: SafeText, view: RenderContext) -> Line:
    """Return the head with the agent's name, cut to fit; the full name is above all blocks."""
    return (*head, Piece(crop(agent, max(0, view.width - length(head))), Role.DIM))


def _indented_lines(text: SafeText, view: RenderContext, role: Role = Role.PLAIN) -> list[Line]:
    return wrap_text(text, view.width, role, indent=BOX)


def _fact_lines(label: SafeText, value: SafeText, view: RenderContext) -> list[Line]:
    """Return a fact on lines of its own, so that a long value never looks like a fact."""
    rows = labeled(label, value, view.width - BOX, view.column)
    return [(Piece(SafeText(" " * BOX)), *row) for row in rows]


def _unshared_texts(approval: Approval, shared: Mapping[str, SafeText]) -> list[SafeText]:
    """Return texts for the members that not all requests share; the risk needs no label."""
    return [
        value if label == "Risk" else fmt("{}: {}", SafeText(label), value)
        for label, value in members(approval).items()
        if label not in shared and value
    ]


def _unusual_texts(approval: Approval) -> list[SafeText]:
    if not is_unusual(approval):
        return []
    texts = [anomaly.text for anomaly in approval.display.unusual or ()]
    return texts or [fmt("First request from this agent.")]


def _shared_lines(shared: Mapping[str, SafeText], view: RenderContext) -> list[Line]:
    lines = [row for label, value in shared.items() if value for row in view.row(label, value)]
    return [line(fmt("EACH REQUEST"), Role.HEADING), *lines] if lines else []


class BatchTable(ReadSheet, can_focus=True):
    """A block for each request; Space selects or deselects a request and moves to the next."""

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
        """The lines that were on the screen, each as its block and its index there."""

    def show(self, batch: Batch) -> None:
        """Draw a new batch; seen lines are tracked by request, so they stay seen."""
        self._record_seen()
        if batch != self._batch:
            self._batch = batch
            self._cursor = min(self._cursor, len(batch.rows) - 1)
            self.relayout()
            self.refresh(layout=True)

    def lines_for(self, width: int) -> list[Line]:
        """Return the blocks, then the facts that all requests share."""
        self._placed = self._lay_out(width)
        return [placed.line for placed in self._placed]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows needed, so that the panel is no taller than that."""
        del container, viewport
        return len(self._lay_out(max(2, width - self.scrollbar_size_vertical)))

    @property
    def unread(self) -> int:
        """The number of lines not yet seen at this width; at least 1 before the first layout."""
        self._record_seen()
        return len(_line_keys(self._placed) - self._seen) if self._placed else 1

    def action_move(self, step: int) -> None:
        """Move the pointer by `step` requests, and scroll it into view."""
        self._cursor = min(len(self._batch.rows) - 1, max(0, self._cursor + step))
        self.relayout()
        lines = [y for y, placed in enumerate(self._placed) if placed.block == self._pointed_id]
        top = lines[0] if self._cursor else 0
        region = Region(0, top, 1, lines[-1] + 1 - top)
        self.scroll_to_region(region, animate=False, force=True)

    def action_toggle_check(self) -> None:
        """Toggle the request, and move the pointer to the next one."""
        self.post_message(self.Toggled(self._pointed_id))
        self.action_move(1)

    def on_click(self, event: events.Click) -> None:
        """Move the pointer to the clicked request; toggle it if its checkbox was clicked."""
        offset = event.get_content_offset(self)
        ids = [row.id for row in self._batch.rows]
        line = -1 if offset is None else offset.y + self.scroll_offset.y
        if offset is None or line >= len(self._placed) or self._placed[line].block not in ids:
            return
        clicked = self._placed[line]
        self._cursor = ids.index(clicked.block)
        self.relayout()
        if clicked.number == 0 and offset.x < BOX:
            self.action_toggle_check()

    def on_focus(self, _event: events.Focus) -> None:
        """Show the pointer."""
        self.relayout()

    def on_blur(self, _event: events.Blur) -> None:
        """Hide the pointer."""
        self.relayout()

    def on_resize(self, _event: events.Resize) -> None:
        """Forget which lines were seen, because a different width wraps them differently.

        Textual calls the base class's handler after this one.
        """
        if self._text_width != self._laid_out_for:
            self._seen = set()

    def _record_seen(self) -> None:
        self._seen |= _line_keys(self._placed[self.scroll_offset.y : self.last_visible_row])

    @property
    def _pointed_id(self) -> str:
        return self._batch.rows[self._cursor].id

    def _lay_out(self, width: int) -> list[PlacedLine]:
        view = RenderContext(0, self._zone, width)
        return batch_lines(self._batch, self._pointed_id if self.has_focus else None, view)


def _line_keys(placed: Iterable[PlacedLine]) -> set[tuple[str, int]]:
    return {(placed_line.block, placed_line.number) for placed_line in placed}
