r"""Text that is safe to draw in a terminal, whoever wrote it.

Owns: `display_safe` and its result type. Never: markup, colour, width. The server has the same
function; `tests/vectors/display_safe.json` keeps the two equal.
"""

import unicodedata
from typing import NewType

SafeText = NewType("SafeText", str)
"""Text that went through `display_safe`; the only kind a screen may draw."""

_MARKS_IN_A_ROW = 3
_KEPT = ("L", "N", "P", "S")
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))


def display_safe(text: str, *, max_len: int = 2000, max_lines: int = 1) -> SafeText:
    r"""Return `text` with everything invisible or active made visible, within the caps.

    Kept: letters, numbers, punctuation, symbols, the plain space, up to three combining marks in
    a row and `max_lines - 1` line feeds. All else becomes an escape such as `\u{202e}`. A text
    longer than `max_len` characters is cut and says how many are missing.
    """
    pieces: list[str] = []
    marks = 0
    lines_left = max_lines - 1
    for character in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Mc"} else 0
        if character == "\n" and lines_left > 0:
            lines_left -= 1
            pieces.append(character)
        elif _is_kept(character, marks):
            pieces.append(character)
        else:
            pieces.append(f"\\u{{{ord(character):x}}}")
    return _capped("".join(pieces), max_len)


def _is_kept(character: str, marks: int) -> bool:
    if character == " ":
        return True
    if any(ord(character) in selectors for selectors in _VARIATION_SELECTORS):
        return False
    if marks:
        return marks <= _MARKS_IN_A_ROW
    return unicodedata.category(character)[0] in _KEPT


def _capped(text: str, max_len: int) -> SafeText:
    if len(text) <= max_len:
        return SafeText(text)
    return SafeText(f"{text[:max_len]} … +{len(text) - max_len} chars")
