"""What a person wants to be told of, and how loudly.

Owns: the ways there are, which risk takes which, their defaults. Never: where they are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from approver_tui.state.risks import Risk


class AlertLevel(StrEnum):
    """How loudly something is told; each way includes those before it."""

    OFF = "off"
    BELL = "bell"
    DESKTOP = "desktop"


class TerminalSequence(StrEnum):
    """Which control sequence asks the terminal for a notification."""

    AUTO = "auto"
    """The one that this terminal is known to understand, if it is known."""
    OSC9 = "osc9"
    OSC777 = "osc777"
    OSC99 = "osc99"
    NONE = "none"


DEFAULT_WAYS: Mapping[Risk, AlertLevel] = MappingProxyType(
    {
        Risk.LOW: AlertLevel.OFF,
        Risk.MEDIUM: AlertLevel.BELL,
        Risk.HIGH: AlertLevel.DESKTOP,
        Risk.CRITICAL: AlertLevel.DESKTOP,
    }
)
"""By risk: low is not told, high rings and asks the desktop."""

DEFAULT_REPEAT = 30
"""After how many seconds a high risk is told again."""


@dataclass(frozen=True, slots=True)
class AlertPreferences:
    """What one person wants."""

    ways: Mapping[Risk, AlertLevel] = field(default_factory=lambda: DEFAULT_WAYS)
    repeat: int = DEFAULT_REPEAT
    """Seconds after which high and critical risk are told again while they wait; 0 is never."""
    sequence: TerminalSequence = TerminalSequence.AUTO

    def way(self, risk: Risk) -> AlertLevel:
        """Return how a request of this risk is told."""
        return self.ways.get(risk, AlertLevel.OFF)


DEFAULTS = AlertPreferences()
"""What counts for whoever said nothing."""
