"""Shows requested and granted values side by side.

Owns: the two columns and their heading. Never: cutting a value; long values wrap in their column.
"""

from collections.abc import Sequence
from itertools import zip_longest

from approver_tui.state.approvals.narrowing import Difference
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, fmt, pad, wrap, wrap_text

_GAP = 2
_MIN_WIDTH_FOR_LABELS = 60
_LABEL_WIDTH = 14


def difference_lines(differences: Sequence[Difference], width: int) -> list[Line]:
    """Return a heading and rows; on narrow screens a label has its own line."""
    label = _LABEL_WIDTH if width >= _MIN_WIDTH_FOR_LABELS else 2
    column = max(4, (width - label - _GAP) // 2)
    heading = _two_columns(
        SafeText(" " * label), fmt("requested"), fmt("granted"), column, Role.DIM
    )
    return [
        *heading,
        *(row for difference in differences for row in _rows(difference, label, column, width)),
    ]


def _rows(difference: Difference, label: int, column: int, width: int) -> list[Line]:
    above, margin = wrap_text(difference.label, width, Role.LABEL), SafeText(" " * label)
    if width >= _MIN_WIDTH_FOR_LABELS and len(difference.label) < label:
        above, margin = [], pad(difference.label, label)
    columns = _two_columns(margin, difference.asked, difference.granted, column, Role.PLAIN)
    return [*above, *columns]


def _two_columns(
    margin: SafeText, left: SafeText, right: SafeText, column: int, role: Role
) -> list[Line]:
    granted_role = Role.STRONG if role is Role.PLAIN else role
    rows = zip_longest(wrap(left, column), wrap(right, column), fillvalue=SafeText(""))
    label = Piece(margin, Role.LABEL)
    indent = Piece(SafeText(" " * len(margin)))
    return [
        (
            indent if number else label,
            Piece(pad(requested, column + _GAP), role),
            Piece(granted, granted_role),
        )
        for number, (requested, granted) in enumerate(rows)
    ]
