"""Which requests alert the user, and how.

Owns: the levels, the level of each risk, the defaults. Never: where preferences are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from approver_tui.state.risks import Risk


class AlertLevel(StrEnum):
    """How an alert is shown; each level includes the ones before it."""

    OFF = "off"
    BELL = "bell"
    DESKTOP = "desktop"


class TerminalSequence(StrEnum):
    """The control sequence that makes a terminal show a notification."""

    AUTO = "auto"
    """The sequence that this terminal is known to support, if any."""
    OSC9 = "osc9"
    OSC777 = "osc777"
    OSC99 = "osc99"
    NONE = "none"


DEFAULT_LEVELS: Mapping[Risk, AlertLevel] = {
    Risk.LOW: AlertLevel.OFF,
    Risk.MEDIUM: AlertLevel.BELL,
    Risk.HIGH: AlertLevel.DESKTOP,
    Risk.CRITICAL: AlertLevel.DESKTOP,
}
"""The default level of each risk."""

DEFAULT_REPEAT = 30
"""After how many seconds an alert of high or critical risk repeats."""


@dataclass(frozen=True, slots=True)
class AlertPreferences:
    """The alert preferences of one user."""

    levels: Mapping[Risk, AlertLevel] = field(default_factory=lambda: DEFAULT_LEVELS)
    repeat: int = DEFAULT_REPEAT
    """Seconds after which alerts of high and critical risk repeat; 0 disables repeating."""
    sequence: TerminalSequence = TerminalSequence.AUTO

    def level(self, risk: Risk) -> AlertLevel:
        """Return the alert level for a risk."""
        return self.levels.get(risk, AlertLevel.OFF)


DEFAULTS = AlertPreferences()
"""The preferences of a user who has set none."""
