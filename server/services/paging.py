"""Pagination of lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResultPage(Generic[T]):
    """One page of a list. `next` is the position of the next page; None on the last one."""

    items: Sequence[T]
    next: str | None


def part(found: Sequence[T], limit: int, place: Callable[[T], str]) -> ResultPage[T]:
    """A page of the first `limit` items. The caller must have fetched one item more."""
    if len(found) <= limit:
        return ResultPage(found, None)
    shown = found[:limit]
    return ResultPage(shown, place(shown[-1]))


def after(found: Sequence[T], place: Callable[[T], str], since: str, limit: int) -> ResultPage[T]:
    """A page of a list that was read completely, sorted by position, after `since`."""
    ordered = sorted((record for record in found if place(record) > since), key=place)
    return part(ordered, limit, place)
