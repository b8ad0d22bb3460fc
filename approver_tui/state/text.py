"""Text that is safe to draw in a terminal, whatever its source.

Owns: `display_safe` and its result type. Never: markup, color, width.

The server has its own `display_safe` with the same rules; `tests/vectors/display_safe.json` keeps
the two equal. The app sanitizes text again because a server may be older, or hostile.
"""

import re
import unicodedata
from typing import Annotated, LiteralString, NamedTuple, TypeAlias

_MAX_MARKS_IN_A_ROW = 3
# One composed character is at most this many characters before NFC.
_MAX_COMPOSITION_LENGTH = 4
_VISIBLE = frozenset("LNPS")
# Room for the suffix that an earlier pass may have added.
_SLACK = 32
_CUT_SUFFIX = re.compile(r" … \+[1-9][0-9]{0,8} chars\Z")

# Assigned as letters, marks or symbols, but invisible: they can hide text.
_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors
        (0x2800, 0x2800),  # blank Braille pattern
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors
        (0xFFA0, 0xFFA0),  # half-width Hangul filler
        (0x1D159, 0x1D159),  # null note head
        (0xE0100, 0xE01EF),  # variation selectors supplement
    )
    for code in range(first, last + 1)
)


class SafeText(str):
    """Text that went through `display_safe`; the only kind that a screen may draw."""

    __slots__ = ()


class TextLimit(NamedTuple):
    """The size of a text from the server, as `display_safe` limits it."""

    characters: int
    lines: int = 1


Headline: TypeAlias = Annotated[SafeText, TextLimit(500)]
LongLine: TypeAlias = Annotated[SafeText, TextLimit(4_000)]
LongText: TypeAlias = Annotated[SafeText, TextLimit(4_000, lines=40)]


def pluralize(number: int, noun: LiteralString, plural: LiteralString = "") -> SafeText:
    """Return a number with its noun; by default the plural adds an s."""
    return SafeText(f"{number:,} {noun if number == 1 else plural or f'{noun}s'}")


def display_safe(raw: str, *, max_len: int = 280, max_lines: int = 1) -> SafeText:
    r"""Return `raw` with invisible and control characters made visible, within the limits.

    Kept: letters, numbers, punctuation, symbols, the plain space, up to three combining marks in a
    row and `max_lines - 1` line feeds. All else becomes an escape such as `\u{202e}`. A text longer
    than `max_len` characters is cut, with the number of missing characters.
    """
    if len(raw) <= max_len and raw.isascii() and raw.isprintable():
        return SafeText(raw)
    # NFC is quadratic in runs of marks, so text beyond the limit is never composed.
    head = raw[: max_len * _MAX_COMPOSITION_LENGTH + _SLACK]
    text = _escape(unicodedata.normalize("NFC", head), max_lines)
    return SafeText(_cut(text, max_len, unseen=len(raw) - len(head)))


def _escape(text: str, max_lines: int) -> str:
    breaks_left = max_lines - 1
    # A mark without a letter before it would be drawn on the text to its left.
    marks = _MAX_MARKS_IN_A_ROW
    pieces: list[str] = []
    for character in text:
        is_kept = _is_plain(character)
        if character == "\n" and breaks_left > 0:
            breaks_left -= 1
            marks = _MAX_MARKS_IN_A_ROW
            is_kept = True
        elif not _is_mark(character):
            marks = 0
        else:
            marks += 1
            is_kept = is_kept and marks <= _MAX_MARKS_IN_A_ROW
        pieces.append(character if is_kept else f"\\u{{{ord(character):x}}}")
    return "".join(pieces)


def _cut(text: str, max_len: int, *, unseen: int) -> str:
    if len(text) <= max_len and not unseen:
        return text
    suffix = _CUT_SUFFIX.search(text)
    if suffix and suffix.start() <= max_len and not unseen:
        return text
    return f"{text[:max_len]} … +{len(text[max_len:]) + unseen} chars"


def _is_plain(character: str) -> bool:
    if character == " ":
        return True
    category = unicodedata.category(character)
    return (category[0] in _VISIBLE or category in {"Mn", "Mc"}) and character not in _INVISIBLE


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"
