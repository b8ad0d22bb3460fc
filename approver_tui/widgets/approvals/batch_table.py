"""The requests of a batch with checkboxes, and whether all lines were on the screen.

Owns: the pointer, keys and clicks of the checkboxes, which lines were visible. Never: what
selecting means.
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
from approver_tui.state.approvals.batch import Batch, SharedFacts, is_unusual, rights
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import (
    BLANK,
    Line,
    Piece,
    Role,
    crop,
    fmt,
    labelled,
    length,
    line,
    wrapped,
)
from approver_tui.widgets.sheet import ReadSheet

BOX = 5
"""Cells before the text of a block; its first line has the pointer and the checkbox there."""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line, the request of its block, and its index in the block."""

    line: Line
    block: str = ""
    """The ID of the request, or a name for lines of no request."""
    number: int = 0


def batch_lines(batch: Batch, pointed: str | None, view: RenderContext) -> list[PlacedLine]:
    """Return all lines; `pointed` is the ID of the request that Space selects."""
    shared = batch.shared
    blocks = {
        row.id: _block(row, shared, _block_head(row, batch, pointed), view) for row in batch.rows
    }
    lines = []
    if batch.unusual:
        lines += _place_lines("unusual", wrapped(_unusual_heading(batch), view.width, Role.ALERT))
        lines += _placed(batch.unusual, blocks)
    if batch.unusual and batch.usual:
        rest = (line(fmt("NOTHING UNUSUAL ({})", len(batch.usual)), Role.HEADING),)
        lines += [PlacedLine(BLANK), *_place_lines("usual", rest)]
    lines += _placed(batch.usual, blocks)
    return [*lines, PlacedLine(BLANK), *_place_lines("shared", _shared_lines(shared, view))]


def _placed(rows: Iterable[Approval], blocks: Mapping[str, list[Line]]) -> Iterator[PlacedLine]:
    for row in rows:
        yield from _place_lines(row.id, blocks[row.id])


def _unusual_heading(batch: Batch) -> SafeText:
    is_left = any(row.id not in batch.ticked for row in batch.unusual)
    return fmt("UNUSUAL ({}){}", len(batch.unusual), fmt("  Space selects each" if is_left else ""))


def _place_lines(block: str, lines: Iterable[Line]) -> list[PlacedLine]:
    return [PlacedLine(made, block, number) for number, made in enumerate(lines)]


def _block_head(approval: Approval, batch: Batch, pointed: str | None) -> Line:
    box = fmt("[x]") if approval.id in batch.ticked else fmt("[ ]")
    pointer = fmt(">") if approval.id == pointed else fmt(" ")
    name = SafeText(approval.fingerprint)
    return (
        Piece(fmt("{}{} ", pointer, box), Role.STRONG),
        Piece(fmt("{}  ", name), Role.STRONG),
        Piece(fmt("{}  ", SafeText(approval.risk.value)), Role(approval.risk.value)),
    )


def _block(approval: Approval, shared: SharedFacts, head: Line, view: RenderContext) -> list[Line]:
    facts = [each for each in approval.display.facts if each.material]
    return [
        _head_line(head, approval.agent.name, view),
        *_indented(approval.headline, view, Role.STRONG),
        *(row for fact in facts for row in _fact_lines(fact.label, fact.value, view)),
        *(
            row
            for text in _unshared_texts(approval, shared)
            for row in _indented(text, view, Role.DIM)
        ),
        *(row for text in _unusual_texts(approval) for row in _indented(text, view, Role.ALERT)),
    ]


def _head_line(head: Line, agent: SafeText, view: RenderContext) -> Line:
    """The agent is named in full above all blocks; here there may be less room."""
    return (*head, Piece(crop(agent, max(0, view.width - length(head))), Role.DIM))


def _indented(text: SafeText, view: RenderContext, role: Role = Role.PLAIN) -> list[Line]:
    return wrapped(text, view.width, role, indent=BOX)


def _fact_lines(label: SafeText, value: SafeText, view: RenderContext) -> list[Line]:
    """A fact on its own lines, so that a long value never looks like the next fact."""
    rows = labelled(label, value, view.width - BOX, view.column)
    return [(Piece(SafeText(" " * BOX)), *row) for row in rows]


def _unshared_texts(approval: Approval, shared: SharedFacts) -> list[SafeText]:
    """The lines about what the requests do not share."""
    display = approval.display
    members = (
        (shared.user_name, fmt("For {}", display.user_name)),
        (shared.resource, fmt("At {}", display.resource)),
        (shared.rights, fmt("Rights: {}", rights(approval))),
        (shared.risk_reason, display.risk_reason),
        (shared.undo, fmt("Undo: {}", display.undo) if display.undo else _NO_UNDO),
        (shared.gives, fmt("Grants {}", display.gives)),
    )
    return [words for common, words in members if common is None and words]


def _unusual_texts(approval: Approval) -> list[SafeText]:
    if not is_unusual(approval):
        return []
    safe_texts = [anomaly.text for anomaly in approval.display.unusual or ()]
    return safe_texts or [fmt("First request from this agent.")]


def _shared_lines(shared: SharedFacts, view: RenderContext) -> list[Line]:
    rows = (
        ("For", shared.user_name),
        ("At", shared.resource),
        ("Rights", shared.rights),
        ("Risk", shared.risk_reason),
        ("Undo", _NO_UNDO if shared.undo == "" else shared.undo),
        ("Gives", shared.gives),
    )
    rows_shown = [
        row
        for label, value in rows
        if value
        for row in labelled(SafeText(label), value, view.width, view.column)
    ]
    return [line(fmt("EACH OF THEM"), Role.HEADING), *rows_shown] if rows_shown else []


_NO_UNDO = SafeText("We do not know if this can be undone.")


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
        ids = [row.id for row in self._batch.rows]
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
    return {(placed_line.block, placed_line.number) for placed_line in placed}
