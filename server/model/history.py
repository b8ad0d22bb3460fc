"""Approval history as counters by owner and key."""

import json
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Addition:
    """An approval or request to add to the counter of an owner and key."""

    owner: str
    key: str
    amount: int = 0
    members: tuple[str, ...] = ()
    """Members to add to the row, such as the payee names used with an account."""


@dataclass(slots=True)  # not frozen: each policy decision reads many
class HistoryRow:
    """The counters of an owner and key. A period is a day or an hour, numbered from the epoch."""

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
        return _parse_members(self.text)


@lru_cache(maxsize=4_096)
def _parse_members(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))
