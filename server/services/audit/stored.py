"""The audit entries that a request stored, for the promises in its response."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from server.model.audit import StoredLeaf

_STORED: Final[ContextVar[list[StoredLeaf] | None]] = ContextVar("stored", default=None)


@contextmanager
def collect() -> Iterator[list[StoredLeaf]]:
    """Collect the entries that are committed while the block runs."""
    found = list[StoredLeaf]()
    before = _STORED.set(found)
    try:
        yield found
    finally:
        _STORED.reset(before)


def committed(leaves: Iterable[StoredLeaf]) -> None:
    """Call it after the commit of a unit of work, with its entries."""
    found = _STORED.get()
    if found is not None:
        found.extend(leaves)
