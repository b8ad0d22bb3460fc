"""Risk levels, as the server's policy assigns them.

Owns: the levels and their order. Never: computing one.
"""

from enum import StrEnum


class Risk(StrEnum):
    """How much harm a wrong approval can do, as the server's policy rates it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The rank of a risk; 0 is the lowest."""
        return _RANKS[self._value_]


_RANKS = {risk.value: rank for rank, risk in enumerate(Risk)}
