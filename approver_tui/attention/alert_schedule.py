"""When to alert the user, and with what text.

Owns: the fixed text, which counts risks; repeating alerts for high and critical risk until the
request ends or the user is active. Never: text from an agent; how an alert is shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from approver_tui.attention.preferences import AlertLevel, AlertPreferences
from approver_tui.state.risks import Risk

_LOWEST_REPEATED_RISK = Risk.HIGH


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its fixed text and its level."""

    text: str
    level: AlertLevel


def alert_text(risks: Iterable[Risk]) -> str:
    """Return the text for waiting requests of these risks: their number and the highest risk."""
    counts = Counter(risks)
    highest = max(counts, key=lambda risk: risk.rank)
    count, total = counts[highest], counts.total()
    if total == 1:
        return f"Sayso: 1 {highest.value}-risk request is waiting for you"
    if count == total:
        return f"Sayso: {total} {highest.value}-risk requests are waiting for you"
    return f"Sayso: {total} requests are waiting for you, {count} of them {highest.value} risk"


@dataclass(slots=True)
class AlertSchedule:
    """The requests that the user was alerted to. `ticks` is a monotonic clock in seconds."""

    preferences: AlertPreferences
    ticks: Callable[[], float]
    _waiting: dict[str, Risk] = field(default_factory=dict)
    _repeat_at: dict[str, float] = field(default_factory=dict)
    """When the next repeated alert of each request is due."""

    def add(self, approval_id: str, risk: Risk) -> Alert | None:
        """Add a new request; return its alert, if it has one."""
        level = self.preferences.level(risk)
        if level is AlertLevel.OFF or approval_id in self._waiting:
            return None
        self._waiting[approval_id] = risk
        if risk.rank >= _LOWEST_REPEATED_RISK.rank and self.preferences.repeat:
            self._repeat_at[approval_id] = self.ticks() + self.preferences.repeat
        return Alert(alert_text(self._waiting.values()), level)

    def remove(self, approval_id: str) -> None:
        """Remove a request that was answered or has ended."""
        self._waiting.pop(approval_id, None)
        self._repeat_at.pop(approval_id, None)

    def clear(self) -> None:
        """Stop all repeated alerts: the user is active and has seen the screen."""
        self._waiting.clear()
        self._repeat_at.clear()

    def due(self) -> Alert | None:
        """Return the repeated alert that is due now, if any."""
        now = self.ticks()
        due_ids = [approval_id for approval_id, moment in self._repeat_at.items() if moment <= now]
        if not due_ids:
            return None
        for approval_id in due_ids:
            self._repeat_at[approval_id] = now + self.preferences.repeat
        highest_risk = max(
            (self._waiting[approval_id] for approval_id in due_ids), key=lambda risk: risk.rank
        )
        return Alert(alert_text(self._waiting.values()), self.preferences.level(highest_risk))
