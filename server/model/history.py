"""Approval history as counters by owner and key."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Addition:
    """One approval or request to add to the counter of its owner and key."""

    owner: str
    key: str
    amount: int = 0
    members: tuple[str, ...] = ()
    """Members to add to the row, such as the names with which an account was paid."""


@dataclass(slots=True)  # not frozen: many are read for each decision of policy
class HistoryRow:
    """The counters of one owner and key. A period is a day or an hour, numbered from the epoch."""

    count: int
    total: int
    most: int
    since: int
    """The time of the first addition, in milliseconds."""
    period: int
    period_count: int
    period_total: int
    """The count and the total in the latest period."""
    periods: int
    """The number of periods with an addition."""
    text: str = "{}"

    @property
    def members(self) -> frozenset[str]:
        """The members of the row."""
        return _members(self.text)


class HistoryRows(Protocol):
    """Counters by owner and key.

    `add` MUST be one statement per row, so that concurrent additions are all counted.
    """

    def add(self, additions: Sequence[Addition], period: int, now: int) -> None:
        """Add one to each of these counters, in this period."""

    def of(self, keys: Collection[tuple[str, str]]) -> Mapping[str, HistoryRow]:
        """The rows by key; keys without additions are left out."""

    def forget(self, owner: str) -> None:
        """Delete all rows of this owner."""


@lru_cache(maxsize=4_096)
def _members(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))
