"""Formats times for the screen.

Owns: remaining times, times of day, ages. Never: reading a clock; the current time and the zone are
arguments.
"""

from datetime import UTC, datetime, tzinfo

from approver_tui.state.text import SafeText

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
STEP = 15 * SECOND
"""The step of remaining times above a minute, so that they do not change every second."""


def remaining(until: int, now: int) -> SafeText:
    """Return the remaining time in a few characters: `0:59`, `12:45`, `3 h 12`, `2 d 3 h`."""
    left = _round_down(until - now)
    if left < HOUR:
        return SafeText(f"{left // MINUTE}:{left % MINUTE // SECOND:02d}")
    if left < DAY:
        return SafeText(f"{left // HOUR} h {left % HOUR // MINUTE:02d}")
    return SafeText(f"{left // DAY} d {left % DAY // HOUR} h")


def remaining_in_words(until: int, now: int) -> SafeText:
    """Return the remaining time in words: `in 4 min 15 s`."""
    return SafeText(f"in {duration_text(_round_down(until - now))}")


def duration_text(span: int) -> SafeText:
    """Return a duration: `47 s`, `4 min 15 s`, `3 h 12 min`, `2 d 3 h`."""
    if span < MINUTE:
        return SafeText(f"{max(0, span) // SECOND} s")
    if span < HOUR:
        return SafeText(f"{span // MINUTE} min {span % MINUTE // SECOND:02d} s")
    if span < DAY:
        return SafeText(f"{span // HOUR} h {span % HOUR // MINUTE:02d} min")
    return SafeText(f"{span // DAY} d {span % DAY // HOUR} h")


def clock(at: int, now: int, zone: tzinfo | None) -> SafeText:
    """Return the time of day with seconds; if it is not today, add the date and the zone."""
    moment = _to_datetime(at, zone)
    if moment.date() == _to_datetime(now, zone).date():
        return SafeText(f"{moment:%H:%M:%S}")
    return SafeText(f"{moment:%d %b %Y %H:%M:%S %Z}".strip())


def day_or_clock(at: int, now: int, zone: tzinfo | None) -> SafeText:
    """Return the time if `at` is today, else the date: `14:32`, `24 Nov`, `24 Nov 2025`."""
    moment, today = _to_datetime(at, zone), _to_datetime(now, zone)
    if moment.date() == today.date():
        return SafeText(f"{moment:%H:%M}")
    return SafeText(f"{moment:%d %b}" if moment.year == today.year else f"{moment:%d %b %Y}")


def short_clock(at: int, zone: tzinfo | None) -> SafeText:
    """Return the time of day in hours and minutes."""
    return SafeText(f"{_to_datetime(at, zone):%H:%M}")


def age(since: int, now: int) -> SafeText:
    """Return how old something is: `20 s`, `3 min`, `2 h`."""
    elapsed = max(0, now - since)
    if elapsed < MINUTE:
        return SafeText(f"{elapsed // SECOND} s")
    if elapsed < HOUR:
        return SafeText(f"{elapsed // MINUTE} min")
    return SafeText(f"{elapsed // HOUR} h")


def _round_down(left: int) -> int:
    """Round down to a step, so that the screen never shows more time than there is."""
    if left < MINUTE:
        return max(0, left)
    return left - left % STEP


def _to_datetime(at: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at / SECOND, tz=UTC).astimezone(zone)
