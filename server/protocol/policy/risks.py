"""The four levels of risk.

Owns: their order and the lifetime of requests by risk. Never: what a risk requires of an approver
(policy).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Risk(StrEnum):
    """A level of risk; `rank` gives the order, from 0."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The position in the order of risks, from 0. Comparing strings would be alphabetical."""
        return _RANKS[self]


_RANKS: Mapping[Risk, int] = {risk: rank for rank, risk in enumerate(Risk)}

TIME_TO_LIVE: Mapping[Risk, int] = {
    Risk.LOW: 86_400,
    Risk.MEDIUM: 1_800,
    Risk.HIGH: 600,
    Risk.CRITICAL: 3_600,
}
"""The lifetime of requests in seconds; critical ones need time to find a second approver."""


def highest(risks: Iterable[Risk]) -> Risk:
    """Return the highest of these risks. Raises ValueError if there are none."""
    return max(risks, key=lambda risk: risk.rank)
