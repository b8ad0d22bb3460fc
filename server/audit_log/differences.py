"""Compares two copies of a log: checks that one is a prefix of the other, and lists new entries.

Owns: the comparison of entries. Never: checkpoints and their signatures; `verify.py` checks them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from server.audit_log.bundles import Line, LoggedEntry
from server.audit_log.verify import Broken, check_entry


@dataclass(slots=True)
class Difference:
    """The difference between two logs, where one is a prefix of the other."""

    common: int = 0
    """The number of entries that both logs have."""
    erased: int = 0
    """The number of texts of these entries that the second log no longer has."""
    only_first: list[LoggedEntry] = field(default_factory=list)
    only_second: list[LoggedEntry] = field(default_factory=list)


def compare(first: Iterable[Line], second: Iterable[Line]) -> Difference:
    """Compare two logs. Raises `Broken`, which names the first entry that differs."""
    difference = Difference()
    for left, right in zip_longest(_entries(first), _entries(second)):
        if left is None:
            difference.only_second.append(right)
        elif right is None:
            difference.only_first.append(left)
        elif left.leaf != right.leaf:
            raise Broken(f"Entry {left.seq} is not the same in both logs.")
        else:
            difference.common += 1
            difference.erased += len(left.openings.keys() - right.openings.keys())
    return difference


def _entries(lines: Iterable[Line]) -> Iterator[LoggedEntry]:
    """The entries, after checking the position and the hash of each. Raises `Broken`."""
    entries = (line for line in lines if isinstance(line, LoggedEntry))
    for position, entry in enumerate(entries):
        check_entry(entry, position)
        yield entry
