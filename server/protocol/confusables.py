"""Confusable texts, and texts of more than one script.

Owns: the skeleton and the scripts of a text (UTS 39 sections 4 and 5), and the keys by which names
are compared. Never: which characters a name may have (`text.py`), or who has a name.

The Unicode data (`unicode_tables`) is read on first use.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

_TABLES: Final = Path(__file__).parent / "unicode_tables"
_SEPARATORS: Final = re.compile(r"[\s\-_.]+")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[\s\-_.]+(?=\d)")
# UTS 39 5.1: the scripts of Chinese, Japanese and Korean count as one script each.
_COMBINED_SCRIPTS: Final = (
    frozenset({"Han", "Bopomofo"}),
    frozenset({"Han", "Hiragana", "Katakana"}),
    frozenset({"Han", "Hangul"}),
)
# A capital I looks like l, and names are compared without case, so i, I, l and 1 are equal.
_CASELESS_I: Final = str.maketrans("i", "l")


def skeleton(text: str) -> str:
    """A text that is equal for all texts that look alike, ignoring case.

    It is only for comparison, never shown. The skeleton of a skeleton is itself.
    """
    before = ""
    while before != text:
        before, text = text, _prototype(text).casefold().translate(_CASELESS_I)
    return text


def scripts(text: str) -> frozenset[str]:
    """The scripts of a text, by their Unicode names, without those of common characters.

    A character of several scripts counts as the script of the rest of the text, if possible.
    """
    found = _script_sets(text)
    sure = frozenset().union(*(choice for choice in found if len(choice) == 1))
    return sure.union(*(sorted(choice)[:1] for choice in found if not choice & sure))


def mixed_scripts(text: str) -> bool:
    """Return whether a text does not meet "Highly Restrictive" (UTS 39 5.2).

    Allowed are one script, and Latin together with Chinese, Japanese or Korean.
    """
    if text.isascii():
        return False
    found = _script_sets(text)
    if not found or frozenset.intersection(*found):
        return False
    allowed = (group | {"Latin"} for group in _COMBINED_SCRIPTS)
    return not any(all(choice & group for choice in found) for group in allowed)


def name_keys(name: str) -> frozenset[str]:
    """The keys of a name. Two names with a common key can be confused.

    Keys ignore case, and separators except between digits. There are two keys if capital and small
    letters look like different letters: Greek capital nu looks like N, the small one like v.
    """
    joined = _SEPARATORS.sub("", _BETWEEN_DIGITS.sub("+", name))
    return frozenset(map(skeleton, (joined, joined.casefold())))


def _prototype(text: str) -> str:
    """The skeleton of UTS 39 section 4, and stylized characters replaced by plain ones."""
    looks = unicodedata.normalize("NFD", text).translate(_prototypes())
    return unicodedata.normalize("NFKD", looks)


def _script_sets(text: str) -> frozenset[frozenset[str]]:
    """The set of scripts of each character, without characters that have none."""
    return frozenset(filter(None, map(_scripts_of, text)))


@lru_cache(maxsize=4096)
def _scripts_of(character: str) -> frozenset[str]:
    code = ord(character)
    ranges = _script_ranges()
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        first, last, names = ranges[middle]
        if first <= code <= last:
            return names
        low, high = (middle + 1, high) if last < code else (low, middle)
    return frozenset()


@cache
def _prototypes() -> dict[int, str]:
    """The table for `str.translate`: character → prototype."""
    ignorable = {
        code: ""
        for first, last in _rows("ignorable")
        for code in range(int(first, 16), int(last, 16) + 1)
    }
    looks = {
        int(code, 16): "".join(chr(int(point, 16)) for point in to)
        for code, *to in _rows("prototypes")
    }
    return ignorable | looks


@cache
def _script_ranges() -> tuple[tuple[int, int, frozenset[str]], ...]:
    return tuple(
        (int(first, 16), int(last, 16), frozenset(names))
        for first, last, *names in _rows("scripts")
    )


def _rows(table: str) -> Iterator[list[str]]:
    lines = (_TABLES / f"{table}.txt").read_text("utf-8").splitlines()
    return (line.split() for line in lines if not line.startswith("#"))
