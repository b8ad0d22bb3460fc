"""How long an agent is told to wait before it asks again.

Owns: the choices in the panel, parsing a typed time. Never: whether a time is allowed; the server
decides that. Times are integers, milliseconds since the epoch.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from approver_tui.state.standing_grants.standing_grants import read_duration

_MINUTE = 60_000
_MORNING = time(8)


class RetryDelay(StrEnum):
    """A delay; the user sees the values."""

    QUARTER = "in 15 minutes"
    HOUR = "in an hour"
    TOMORROW = "tomorrow at 8:00"

    def until(self, now: int, zone: tzinfo | None) -> int:
        """Return when the delay ends; `zone` defines "tomorrow", None means this machine's."""
        if self is RetryDelay.QUARTER:
            return now + 15 * _MINUTE
        if self is RetryDelay.HOUR:
            return now + 60 * _MINUTE
        today = datetime.fromtimestamp(now / 1000, tz=UTC).astimezone(zone).date()
        morning = datetime.combine(today + timedelta(days=1), _MORNING, tzinfo=zone)
        return int(morning.timestamp()) * 1000


def parse_moment(text: str, now: int) -> int:
    """Parse `15m`, `1h`, `1d` or an RFC 3339 time. Raises ValueError."""
    try:
        return now + read_duration(text) * 1000
    except ValueError:
        return _parse_time(text)


def _parse_time(text: str) -> int:
    problem = "use 15m, 1h, 1d, or a time with its zone, such as 2026-12-01T08:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(problem) from None
    if moment.tzinfo is None:
        raise ValueError(problem)
    return int(utc.timestamp() * 1000)
