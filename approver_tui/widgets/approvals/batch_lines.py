"""Several requests before they are answered at once: a block each, then what they share.

Owns: the order and wording: fingerprint, risk and agent; what would happen; the main facts; what is
unusual. Never: cutting a fact; showing the agents' own words.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

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
        each.id: _block(each, shared, _block_head(each, batch, pointed), view)
        for each in batch.rows
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
    for each in rows:
        yield from _place_lines(each.id, blocks[each.id])


def _unusual_heading(batch: Batch) -> SafeText:
    is_left = any(each.id not in batch.ticked for each in batch.unusual)
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
    found = [each.text for each in approval.display.unusual or ()]
    return found or [fmt("First request from this agent.")]


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
