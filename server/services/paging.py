"""Pagination of lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResultPage(Generic[T]):
    """One page of a list. `next` is the position of the next page; None on the last page."""

    items: Sequence[T]
    next: str | None


def part(records: Sequence[T], limit: int, position_of: Callable[[T], str]) -> ResultPage[T]:
    """Return a page with the first `limit` records. The caller must fetch one extra record."""
    if len(records) <= limit:
        return ResultPage(records, None)
    shown = records[:limit]
    return ResultPage(shown, position_of(shown[-1]))


def page_after(
    records: Sequence[T], position_of: Callable[[T], str], since: str, limit: int
) -> ResultPage[T]:
    """Sort a complete list by position, and return the page after `since`."""
    ordered = sorted((record for record in records if position_of(record) > since), key=position_of)
    return part(ordered, limit, position_of)
