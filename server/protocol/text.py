r"""Which characters may be displayed, and which are accepted in names and prose.

Owns: `display_safe`, which escapes untrusted text before it is displayed, and the checks of names,
prose and binding messages. Never: the layout of text.

Every client has its own copy of `display_safe`; `tests/vectors/display_safe.json` keeps the copies
equal. Its rules, in order:

1. Only the first `4 * max_chars + 32` characters are processed, because NFC is quadratic in runs of
   marks. The rest is only counted.
2. The text is normalized to NFC.
3. These characters are kept: letters, numbers, punctuation, symbols and U+0020; marks, up to three
   in a row and never at the start of a line; a line feed if `max_lines` allows another line.
4. Everything else is escaped as `\u{202e}`, including invisible letters, marks and symbols.
5. Text longer than `max_chars` is cut, and ` … +12 chars` shows how much is missing.
"""

import re
import unicodedata

from server.protocol import errors
from server.protocol.confusables import mixed_scripts, scripts

MAX_BINDING_MESSAGE = 200

_MAX_MARKS_IN_A_ROW = 3
# NFC composes at most this many characters into a single character.
_MAX_COMPOSITION = 4
_VISIBLE = frozenset("LNPS")
# Room for the suffix that an earlier call added.
_SLACK = 32
_CUT_SUFFIX = re.compile(r" … \+[1-9][0-9]{0,8} chars\Z")
_NAME_PUNCTUATION = frozenset(" -_.@+")

# Letters, marks and symbols that are invisible, so they can hide text.
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
    """Text that `display_safe` has escaped. Only this kind of text may be displayed."""

    __slots__ = ()


_MARKUP = frozenset("[]<>{}\\")


def display_safe(raw: str, *, max_chars: int = 280, max_lines: int = 1) -> SafeText:
    """Escape untrusted text so that hidden characters are visible, and truncate it.

    Calling it again with the same limits changes nothing. The result has at most `max_chars`
    characters, plus the suffix with the number of missing characters.
    """
    if len(raw) <= max_chars and raw.isascii() and raw.isprintable():
        return SafeText(raw)
    head = raw[: max_chars * _MAX_COMPOSITION + _SLACK]
    text = _escape(unicodedata.normalize("NFC", head), max_lines)
    return SafeText(_cut(text, max_chars, unseen=len(raw) - len(head)))


def check_binding_message(raw: str) -> str:
    """Return the NFC text of a binding message (CIBA 7.1).

    Raises errors.InvalidBindingMessage. Its message names the fix and never repeats the text.
    """
    try:
        return check_prose(raw, what="binding_message", max_chars=MAX_BINDING_MESSAGE)
    except ValueError as error:
        raise errors.InvalidBindingMessage(str(error)) from None


def check_prose(raw: str, *, what: str, max_chars: int, lines: int = 1) -> str:
    """Return a title, note or description of at most `lines` lines as NFC text.

    Raises ValueError. Its message begins with `what`, names the fix and never repeats the text.
    """
    text = _normalize(raw, what, max_chars)
    if text.count("\n") >= lines:
        line_limit = pluralize(lines, "line")
        raise ValueError(f"{what} can have at most {line_limit}; remove the extra line breaks")
    for position, character in _find_disallowed(text):
        raise ValueError(
            f"{what} contains U+{ord(character):04X} at character {position}; use only letters, "
            "digits, punctuation, symbols and plain spaces, with at most 3 combining marks in a "
            "row"
        )
    return text


def check_device_name(raw: str, *, what: str, max_chars: int = 64) -> str:
    """Return the NFC text of a device's name, which only its user needs to recognize.

    Raises ValueError like `check_prose`, and also for brackets, repeated spaces, and names without
    a letter or a digit.
    """
    text = check_prose(raw, what=what, max_chars=max_chars)
    if not _MARKUP.isdisjoint(text):
        raise ValueError(f"{what} must not contain [ ] < > {{ }} or backslash")
    if text.strip() != text or "  " in text:
        raise ValueError(f"{what} can contain only single spaces, between words")
    if not any(map(str.isalnum, text)):
        raise ValueError(f"{what} must contain a letter or a digit")
    return text


def check_name(raw: str, *, what: str, max_chars: int = 64) -> str:
    """Return an agent's or user's name as NFC text.

    People compare names by sight, so a name must have one script and no compatibility characters.
    Raises ValueError. Its message begins with `what` and names the fix.
    """
    text = _normalize(raw, what, max_chars)
    if not text[0].isalnum():
        raise ValueError(f"{what} must start with a letter or a digit")
    if text.endswith(" ") or "  " in text:
        raise ValueError(f"{what} can contain only single spaces, between words")
    if not all(map(_is_name_character, text)):
        raise ValueError(f"{what} can contain only letters, digits, spaces and - _ . @ +")
    if unicodedata.normalize("NFKC", text) != text:
        raise ValueError(f"{what} contains a stylized letter or digit; use its plain form")
    if mixed_scripts(text):
        mixed = " and ".join(sorted(scripts(text))).replace("_", " ")
        raise ValueError(f"{what} mixes {mixed} characters; use one script")
    return text


def _escape(text: str, max_lines: int) -> str:
    breaks_left = max_lines - 1
    # A mark at the start would combine with the character to the left of this text.
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


def _cut(text: str, max_chars: int, *, unseen: int) -> str:
    if len(text) <= max_chars and not unseen:
        return text
    earlier = _CUT_SUFFIX.search(text)
    if earlier and earlier.start() <= max_chars and not unseen:
        return text
    return f"{text[:max_chars]} … +{len(text[max_chars:]) + unseen} chars"


def _normalize(raw: str, what: str, max_chars: int) -> str:
    # NFC is slow for long text, so text that cannot fit is not normalized.
    if len(raw) <= max_chars * _MAX_COMPOSITION:
        text = unicodedata.normalize("NFC", raw)
        if 1 <= len(text) <= max_chars:
            return text
    raise ValueError(f"{what} must have 1 to {max_chars} characters")


def _find_disallowed(text: str) -> list[tuple[int, str]]:
    """Return the characters that are not allowed in prose, with their positions, counted from 1."""
    if text.isascii() and text.isprintable():
        return []
    marks = 0
    disallowed: list[tuple[int, str]] = []
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)[0]
        marks = marks + 1 if category == "M" else 0
        plain = category in _VISIBLE or character in " \n" or category == "M"
        if not plain or marks > _MAX_MARKS_IN_A_ROW:
            disallowed.append((position, character))
    return disallowed


def _is_plain(character: str) -> bool:
    if character == " ":
        return True
    category = unicodedata.category(character)
    return (category[0] in _VISIBLE or category in {"Mn", "Mc"}) and character not in _INVISIBLE


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _is_name_character(character: str) -> bool:
    if character in _NAME_PUNCTUATION:
        return True
    return unicodedata.category(character)[0] in "LN" and character not in _INVISIBLE


def pluralize(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun. Give `plural` if it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
