"""Formats of points in time: RFC 3339 for programs, and to the minute for people.

Never: durations, or the time zone of a reader.
"""

from datetime import UTC, datetime


def rfc3339(moment: int) -> str:
    """Return milliseconds since the epoch as an RFC 3339 string in UTC."""
    at = datetime.fromtimestamp(moment / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03d}Z"


def rfc3339_or_none(moment: int | None) -> str | None:
    """Like `rfc3339`, but returns None for None."""
    return None if moment is None else rfc3339(moment)


def day_text(moment: int) -> str:
    """Return milliseconds since the epoch as a date in UTC, such as 1 December 2026."""
    date = datetime.fromtimestamp(moment / 1000, UTC)
    return f"{date.day} {date:%B %Y}"


def time_text(moment: int) -> str:
    """Return milliseconds since the epoch as text for people, such as `2026-05-01 14:30 UTC`."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
