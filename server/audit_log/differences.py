"""Compares two copies of a log: whether one is the beginning of the other, and what is new.

Owns: the comparison of entries. Never: checkpoints and their signatures; `verify.py` checks them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from server.audit_log.bundles import Line, LoggedEntry
from server.audit_log.verify import Broken, check_entry


@dataclass(slots=True)
class Difference:
    """Two logs of which one is the beginning of the other."""

    common: int = 0
    """How many entries both have."""
    erased: int = 0
    """How many texts of these the second one does not have any more."""
    only_first: list[LoggedEntry] = field(default_factory=list)
    only_second: list[LoggedEntry] = field(default_factory=list)


def compare(first: Iterable[Line], second: Iterable[Line]) -> Difference:
    """Compare two logs. Raises `Broken` with the first entry that they do not share."""
    found = Difference()
    for ours, theirs in zip_longest(_entries(first), _entries(second)):
        if ours is None:
            found.only_second.append(theirs)
        elif theirs is None:
            found.only_first.append(ours)
        elif ours.leaf != theirs.leaf:
            raise Broken(f"Entry {ours.seq} is not the same in both logs.")
        else:
            found.common += 1
            found.erased += len(ours.openings.keys() - theirs.openings.keys())
    return found


def _entries(lines: Iterable[Line]) -> Iterator[LoggedEntry]:
    """The entries, each with its place and its hash. Raises `Broken`."""
    entries = (line for line in lines if isinstance(line, LoggedEntry))
    for place, entry in enumerate(entries):
        check_entry(entry, place)
        yield entry
