"""The number of cases that a test tries.

Owns: a deep run (`scripts/test --deep`) tries ten times as many random cases with new seeds, and
every case of a list. Never: which cases.
"""

import os
import zlib
from collections.abc import Sequence
from typing import TypeVar

_Case = TypeVar("_Case")
_PART_COUNT = 6
DEEP = bool(os.environ.get("SAYSO_TEST_DEEP"))
"""Whether this is a deep run: more cases, and new random ones."""
_FACTOR = 10 if DEEP else 1


def cases(usual: int) -> int:
    """Return how many random cases to try, for the number that a usual run tries."""
    return usual * _FACTOR


def part(whole: Sequence[_Case], name: str) -> Sequence[_Case]:
    """Return the sixth of a list that belongs to this name; in a deep run the whole list."""
    return whole if DEEP else whole[zlib.crc32(name.encode()) % _PART_COUNT :: _PART_COUNT]
