"""How much harm an action can do, in four steps.

Owns: the order of risks and how long a request of each may wait. Never: what a risk demands of a
person; that is policy.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Risk(StrEnum):
    """A level of risk; `rank` gives the order, from 0."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position from the least risky; texts would compare by alphabet."""
        return _RANKS[self]


_RANKS: Mapping[Risk, int] = MappingProxyType({risk: rank for rank, risk in enumerate(Risk)})

TIME_TO_LIVE: Mapping[Risk, int] = MappingProxyType(
    {Risk.LOW: 86_400, Risk.MEDIUM: 1_800, Risk.HIGH: 600, Risk.CRITICAL: 3_600}
)
"""Seconds that a request waits for its answer; critical ones need a second person to be found."""


def highest(risks: Iterable[Risk]) -> Risk:
    """Return the highest of some risks. ValueError if there are none."""
    return max(risks, key=lambda risk: risk.rank)
