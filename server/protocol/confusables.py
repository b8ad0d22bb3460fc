"""Detects strings that look alike and strings that mix scripts.

Owns: the skeleton and the scripts of a string (UTS 39 sections 4 and 5), and the keys for comparing
names. Never: which characters a name may have (`text.py`), or which names are in use.

The Unicode data (`unicode_tables`) is read on first use.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, lru_cache
from operator import itemgetter
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
    """Return a string that is equal for all strings that look alike, ignoring case.

    Use it only for comparison; never show it. The skeleton of a skeleton is the same skeleton.
    """
    previous = ""
    while previous != text:
        previous, text = text, _prototype(text).casefold().translate(_CASELESS_I)
    return text


def scripts(text: str) -> frozenset[str]:
    """Return the Unicode names of the scripts of a string, ignoring characters common to all.

    A character used in several scripts counts toward the script of the others, if possible.
    """
    script_sets = _script_sets(text)
    certain = frozenset().union(*(choice for choice in script_sets if len(choice) == 1))
    return certain.union(*(sorted(choice)[:1] for choice in script_sets if not choice & certain))


def mixed_scripts(text: str) -> bool:
    """Return whether a string violates the level "Highly Restrictive" (UTS 39 5.2).

    That level allows one script, or Latin together with Chinese, Japanese or Korean.
    """
    if text.isascii():
        return False
    script_sets = _script_sets(text)
    if not script_sets or frozenset.intersection(*script_sets):
        return False
    allowed = (group | {"Latin"} for group in _COMBINED_SCRIPTS)
    return not any(all(choice & group for choice in script_sets) for group in allowed)


def name_keys(name: str) -> frozenset[str]:
    """Return the keys of a name. Two names that share a key can be confused.

    Keys ignore case, and also separators that are not between digits. A name has two keys if its
    capital and small letters look different: Greek capital nu looks like N, small nu like v.
    """
    joined = _SEPARATORS.sub("", _BETWEEN_DIGITS.sub("+", name))
    return frozenset(map(skeleton, (joined, joined.casefold())))


def _prototype(text: str) -> str:
    """Return the skeleton of UTS 39 section 4, with plain characters for stylized ones."""
    prototype = unicodedata.normalize("NFD", text).translate(_prototypes())
    return unicodedata.normalize("NFKD", prototype)


def _script_sets(text: str) -> frozenset[frozenset[str]]:
    """Return the scripts of each character that has any."""
    return frozenset(filter(None, map(_scripts_of, text)))


@lru_cache(maxsize=4096)
def _scripts_of(character: str) -> frozenset[str]:
    code, ranges = ord(character), _script_ranges()
    index = bisect_right(ranges, code, key=itemgetter(0)) - 1
    if index < 0 or ranges[index][1] < code:
        return frozenset()
    return ranges[index][2]


@cache
def _prototypes() -> dict[int, str]:
    """Return the table for `str.translate`: character → prototype."""
    ignorable = {
        code: ""
        for first, last in _read_rows("ignorable")
        for code in range(int(first, 16), int(last, 16) + 1)
    }
    prototypes = {
        int(code, 16): "".join(chr(int(point, 16)) for point in to)
        for code, *to in _read_rows("prototypes")
    }
    return ignorable | prototypes


@cache
def _script_ranges() -> tuple[tuple[int, int, frozenset[str]], ...]:
    return tuple(
        (int(first, 16), int(last, 16), frozenset(names))
        for first, last, *names in _read_rows("scripts")
    )


def _read_rows(table: str) -> Iterator[list[str]]:
    lines = (_TABLES / f"{table}.txt").read_text("utf-8").splitlines()
    return (line.split() for line in lines if not line.startswith("#"))
