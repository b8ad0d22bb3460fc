"""The requested and the granted text, side by side.

Owns: the two columns and their heading. Never: cutting a value; a long one wraps in its column.
"""

from collections.abc import Sequence
from itertools import zip_longest

from approver_tui.state.approvals.narrowing import Difference
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, fmt, pad, wrap, wrapped

_GAP = 2
_WIDE = 60
_LABEL = 14


def difference_lines(differences: Sequence[Difference], width: int) -> list[Line]:
    """Return a heading and a row for each; on narrow screens a label has its own line."""
    label = _LABEL if width >= _WIDE else 2
    column = max(4, (width - label - _GAP) // 2)
    heading = _two_columns(SafeText(" " * label), fmt("asked"), fmt("granted"), column, Role.DIM)
    return [
        *heading,
        *(row for difference in differences for row in _rows(difference, label, column, width)),
    ]


def _rows(difference: Difference, label: int, column: int, width: int) -> list[Line]:
    if width >= _WIDE and len(difference.label) < label:
        return _two_columns(
            pad(difference.label, label), difference.asked, difference.granted, column, Role.PLAIN
        )
    above = wrapped(difference.label, width, Role.LABEL)
    margin = SafeText(" " * label)
    return [*above, *_two_columns(margin, difference.asked, difference.granted, column, Role.PLAIN)]


def _two_columns(
    margin: SafeText, left: SafeText, right: SafeText, column: int, role: Role
) -> list[Line]:
    strong = Role.STRONG if role is Role.PLAIN else role
    rows = zip_longest(wrap(left, column), wrap(right, column), fillvalue=SafeText(""))
    first = Piece(margin, Role.LABEL)
    hanging = Piece(SafeText(" " * len(margin)))
    return [
        (
            hanging if number else first,
            Piece(pad(safe_text, column + _GAP), role),
            Piece(granted, strong),
        )
        for number, (safe_text, granted) in enumerate(rows)
    ]
