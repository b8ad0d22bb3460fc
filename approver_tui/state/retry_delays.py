"""Until when an agent is told to wait before it asks again.

Owns: the choices that a panel offers, the time that a person writes. Never: whether a time may be
told; that is for the server to judge. Times are integers, milliseconds since the epoch.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from approver_tui.state.standing_grants.standing_grants import read_duration

_MINUTE = 60_000
_MORNING = time(8)


class RetryDelay(StrEnum):
    """How long, in the words a person chooses by."""

    QUARTER = "in 15 minutes"
    HOUR = "in an hour"
    TOMORROW = "tomorrow at 8:00"

    def until(self, now: int, zone: tzinfo | None) -> int:
        """Return the moment; tomorrow is the person's own, None for this machine's zone."""
        if self is RetryDelay.QUARTER:
            return now + 15 * _MINUTE
        if self is RetryDelay.HOUR:
            return now + 60 * _MINUTE
        today = datetime.fromtimestamp(now / 1000, tz=UTC).astimezone(zone).date()
        morning = datetime.combine(today + timedelta(days=1), _MORNING, tzinfo=zone)
        return int(morning.timestamp()) * 1000


def parse_moment(text: str, now: int) -> int:
    """Return the moment that `15m`, `1h`, `1d` or an RFC 3339 time names. ValueError if none."""
    try:
        return now + read_duration(text) * 1000
    except ValueError:
        return _written(text)


def _written(text: str) -> int:
    problem = "write 15m, 1h, 1d, or a time with its zone, such as 2026-12-01T08:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(problem) from None
    if moment.tzinfo is None:
        raise ValueError(problem)
    return int(moment.timestamp() * 1000)
