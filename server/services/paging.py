"""Lists in parts: what is shown now, and where the next part begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResultPage(Generic[T]):
    """Some items of a list; `next` is the place to go on from, None at its end."""

    items: Sequence[T]
    next: str | None


def part(found: Sequence[T], limit: int, place: Callable[[T], str]) -> ResultPage[T]:
    """The first `limit` of what was found; whoever looked must have asked for one more."""
    if len(found) <= limit:
        return ResultPage(found, None)
    shown = found[:limit]
    return ResultPage(shown, place(shown[-1]))


def after(found: Sequence[T], place: Callable[[T], str], since: str, limit: int) -> ResultPage[T]:
    """A part of a list that was read whole, in the order of its places."""
    ordered = sorted((one for one in found if place(one) > since), key=place)
    return part(ordered, limit, place)
