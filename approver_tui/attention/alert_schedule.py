"""When somebody is to be told, and what is said.

Owns: the fixed words, which count risks; that high and critical risk are told again until they are
over or the person did something. Never: a word of an agent; how it is said.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from approver_tui.attention.preferences import AlertLevel, AlertPreferences
from approver_tui.state.risks import Risk

_LEAST_TOLD_AGAIN = Risk.HIGH


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell: fixed words, and how loudly."""

    text: str
    way: AlertLevel


def words(risks: Iterable[Risk]) -> str:
    """Return what is said when requests of these risks wait: how many, and the highest risk."""
    counted = Counter(risks)
    highest = max(counted, key=lambda risk: risk.rank)
    count, total = counted[highest], counted.total()
    if total == 1:
        return f"Sayso: 1 request of {highest.value} risk waits for you"
    if count == total:
        return f"Sayso: {total} requests of {highest.value} risk wait for you"
    return f"Sayso: {total} requests wait for you, {count} of {highest.value} risk"


@dataclass(slots=True)
class AlertSchedule:
    """What waits that the person was told of. `ticks` is a clock in seconds that only goes on."""

    preferences: AlertPreferences
    ticks: Callable[[], float]
    _waiting: dict[str, Risk] = field(default_factory=dict)
    _again: dict[str, float] = field(default_factory=dict)
    """When each request that is told again is due."""

    def asked(self, approval_id: str, risk: Risk) -> Alert | None:
        """Return what to say about a new request, if anything."""
        way = self.preferences.way(risk)
        if way is AlertLevel.OFF or approval_id in self._waiting:
            return None
        self._waiting[approval_id] = risk
        if risk.rank >= _LEAST_TOLD_AGAIN.rank and self.preferences.repeat:
            self._again[approval_id] = self.ticks() + self.preferences.repeat
        return Alert(words(self._waiting.values()), way)

    def over(self, approval_id: str) -> None:
        """Forget a request: it was answered, or it ended."""
        self._waiting.pop(approval_id, None)
        self._again.pop(approval_id, None)

    def noticed(self) -> None:
        """Stop telling again: the person is there and has seen the screen."""
        self._waiting.clear()
        self._again.clear()

    def due(self) -> Alert | None:
        """Return what has to be said again now."""
        now = self.ticks()
        late = [each for each, moment in self._again.items() if moment <= now]
        if not late:
            return None
        for each in late:
            self._again[each] = now + self.preferences.repeat
        loudest = max((self._waiting[each] for each in late), key=lambda risk: risk.rank)
        return Alert(words(self._waiting.values()), self.preferences.way(loudest))
