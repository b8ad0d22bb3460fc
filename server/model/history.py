"""What was approved before, as rows by key."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Addition:
    """One approval, or one request, that is added to the row of its owner and key."""

    owner: str
    key: str
    amount: int = 0
    members: tuple[str, ...] = ()
    """What belongs to this row from now on, such as the names under which an account was paid."""


@dataclass(slots=True)  # not frozen: many are read for each decision of policy
class HistoryRow:
    """What was added to one owner and key. A period is a day or an hour, counted from the epoch."""

    count: int
    total: int
    most: int
    since: int
    """When the first one was added, in milliseconds."""
    period: int
    period_count: int
    period_total: int
    """How often, and how much, in the newest period."""
    periods: int
    """In how many periods anything was added."""
    text: str = "{}"

    @property
    def members(self) -> frozenset[str]:
        """What belongs to it."""
        return _members(self.text)


class HistoryRows(Protocol):
    """What was approved before, by owner and key.

    `add` MUST be one statement for each row, so that two at once are both counted.
    """

    def add(self, additions: Sequence[Addition], period: int, now: int) -> None:
        """Count one more in each of these rows, in this period."""

    def of(self, keys: Collection[tuple[str, str]]) -> Mapping[str, HistoryRow]:
        """Key → row, of owners and their keys; without those to which nothing was added."""

    def forget(self, owner: str) -> None:
        """Drop all that is about it."""


@lru_cache(maxsize=4_096)
def _members(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))
