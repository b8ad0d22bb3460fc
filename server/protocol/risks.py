"""Risk levels: what each is called, how they compare, how long a request of each may wait."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Risk(StrEnum):
    """How much harm an action can do."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place, 0 for the lowest."""
        return _ORDER.index(self)


_ORDER: Final = tuple(Risk)

TIME_TO_LIVE: Final[Mapping[Risk, int]] = MappingProxyType(
    {
        Risk.LOW: 24 * 60 * 60,
        Risk.MEDIUM: 30 * 60,
        Risk.HIGH: 10 * 60,
        Risk.CRITICAL: 60 * 60,
    }
)
"""Seconds that a request waits for its answer at most, and unless it asks for less."""


def highest(risks: Iterable[Risk]) -> Risk:
    """The highest of them; low when there are none."""
    return max(risks, key=lambda risk: risk.rank, default=Risk.LOW)
