"""Text as it is drawn on the screen: pieces with a role, wrapped to a width without loss.

Owns: pieces, lines, wrapping, cropping. A role becomes a style in `approver.tcss`, but no meaning
depends on the style alone. Never: parsing markup; every character is drawn as it is.
"""

import re
from enum import StrEnum
from typing import LiteralString, NamedTuple

from rich.cells import cell_len, get_character_cell_size

from approver_tui.state.text import SafeText


class Role(StrEnum):
    """The role of a piece of text, for the style sheet. The last four are named after risks."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    LABEL = "label"
    HEADING = "heading"
    QUOTE = "quote"
    ALERT = "alert"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Piece(NamedTuple):
    """A string of characters in one role."""

    text: SafeText
    role: Role = Role.PLAIN


Line = tuple[Piece, ...]
"""A row of the screen."""

BLANK: Line = ()
_MONEY = re.compile(r"[A-Z]{3} -?\d(?:[.,]?\d)*")
_NUMBER = re.compile(r"\d(?:[.,:]?\d)*")
"""An amount, a version or a time, which would read as a different value if it were cut."""


def fmt(template: LiteralString, *values: SafeText | int) -> SafeText:
    """Fill a literal template with safe values, so that the result is safe text."""
    return SafeText(template.format(*values))


def line(text: SafeText, role: Role = Role.PLAIN) -> Line:
    """Return a line of a single piece."""
    return (Piece(text, role),)


def wrap(text: SafeText, width: int) -> tuple[SafeText, ...]:
    """Break `text` into rows of at most `width` cells, at spaces where possible.

    Every character is kept except the spaces at a break. Textual's own wrapping is not used,
    because it counts characters and drops the rest of a text with many combining marks.
    """
    rows: list[str] = []
    for paragraph in text.split("\n"):
        rows.extend(_wrap_paragraph(paragraph, max(2, width)))
    return tuple(SafeText(row) for row in rows)


def wrap_text(
    text: SafeText, width: int, role: Role = Role.PLAIN, *, indent: int = 0
) -> list[Line]:
    """Return `text` wrapped into lines, each indented by `indent` cells."""
    margin = SafeText(" " * indent)
    return [(Piece(margin), Piece(row, role)) for row in wrap(text, width - indent)]


def labeled(
    label: SafeText, value: SafeText, width: int, column: int, role: Role = Role.PLAIN
) -> list[Line]:
    """Return a label with its value at `column`; a long label gets lines of its own."""
    rows = wrap(value, width - column)
    if cell_len(label) < column:
        first = (Piece(pad(label, column), Role.LABEL), Piece(rows[0], role))
        return [first, *_indent_rows(rows[1:], column, role)]
    return [*wrap_text(label, width, Role.LABEL), *_indent_rows(rows, column, role)]


def money_width(text: SafeText) -> int:
    """Return the width of the first amount of money in `text`; 0 if there is none."""
    money = _MONEY.search(text)
    return 0 if money is None else cell_len(money[0])


def crop(text: SafeText, width: int) -> SafeText:
    """Return `text` in at most `width` cells; an ellipsis marks a cut, never inside a number.

    An amount of money is kept if it fits, so that different amounts never look alike.
    """
    flat = SafeText(text.replace("\n", " "))
    if cell_len(flat) <= width:
        return flat
    prefix, _rest = _split(flat, max(0, width - 1))
    cut_end = _before_number(flat, len(prefix))
    money = _MONEY.search(flat)
    if money is not None and money.end() > cut_end and cell_len(money[0]) <= width:
        before = crop(SafeText(flat[: money.start()].rstrip()), width - cell_len(money[0]) - 1)
        return SafeText(f"{before} {money[0]}".lstrip())
    return SafeText(f"{flat[:cut_end]}…") if width > 0 else SafeText("")


def pad(text: SafeText, width: int) -> SafeText:
    """Return `text` padded with spaces to `width` cells; longer text is unchanged."""
    return SafeText(text + " " * (width - cell_len(text)))


def justify(left: Line, right: Line, width: int) -> Line:
    """Return one line with `right` flush right; `left` is cropped if there is no room."""
    available = width - length(right)
    if length(left) >= available:
        left = _crop_pieces(left, max(0, available - 1))
    return (*left, Piece(SafeText(" " * max(0, available - length(left)))), *right)


def length(pieces: Line) -> int:
    """Return the width of a line in cells."""
    return sum([cell_len(piece.text) for piece in pieces])


def text_of(pieces: Line) -> str:
    """Return the characters of a line."""
    return "".join([piece.text for piece in pieces])


def _crop_pieces(pieces: Line, width: int) -> Line:
    kept: list[Piece] = []
    for piece in pieces:
        available = width - length(tuple(kept))
        kept.append(Piece(crop(piece.text, available), piece.role))
        if cell_len(piece.text) > available:
            break
    return tuple(kept)


def _before_number(text: str, end: int) -> int:
    """Return `end`, or the start of the number in which `end` lies."""
    for number in _NUMBER.finditer(text):
        if number.start() < end < number.end():
            return number.start()
    return end


def _indent_rows(rows: tuple[SafeText, ...], column: int, role: Role) -> list[Line]:
    margin = Piece(SafeText(" " * column))
    return [(margin, Piece(row, role)) for row in rows]


def _wrap_paragraph(text: str, width: int) -> list[str]:
    first, *words = text.split(" ")
    rows, row = _split_word(first, width)
    for word in words:
        if cell_len(row) + 1 + cell_len(word) <= width:
            row = f"{row} {word}"
            continue
        rows.append(row)
        full_rows, row = _split_word(word, width)
        rows += full_rows
    return [*rows, row]


def _split_word(word: str, width: int) -> tuple[list[str], str]:
    """Return the full rows of a long word, and its last row."""
    rows: list[str] = []
    while cell_len(word) > width:
        head, word = _split(word, width)
        rows.append(head)
    return rows, word


def _split(text: str, width: int) -> tuple[str, str]:
    """Split after at most `width` cells, never between a character and its marks."""
    used = 0
    for position, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width:
            return text[:position], text[position:]
    return text, ""
