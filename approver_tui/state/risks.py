"""Risk levels, as the server's policy sees them.

Owns: which levels there are and their order. Never: works one out.
"""

from enum import StrEnum


class Risk(StrEnum):
    """How much harm a wrong yes can do, as the server's policy sees it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The order of risks: 0 is the lowest."""
        return _RANKS[self._value_]


_RANKS = {risk.value: rank for rank, risk in enumerate(Risk)}
