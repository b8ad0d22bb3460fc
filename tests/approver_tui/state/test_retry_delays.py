"""When a denied agent may ask again."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from approver_tui.state.retry_delays import RetryDelay, parse_moment

BERLIN = ZoneInfo("Europe/Berlin")


def _ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


NOW = _ms("2026-03-28T22:30:00Z")


@pytest.mark.parametrize(
    ("delay", "zone", "until"),
    [
        (RetryDelay.QUARTER, UTC, "2026-03-28T22:45:00Z"),
        (RetryDelay.HOUR, UTC, "2026-03-28T23:30:00Z"),
        (RetryDelay.TOMORROW, UTC, "2026-03-29T08:00:00Z"),
        (RetryDelay.TOMORROW, BERLIN, "2026-03-29T06:00:00Z"),
    ],
)
def test_a_delay_uses_the_clock_and_the_users_calendar(delay, zone, until):
    """The time is right even if daylight saving time begins or ends overnight."""
    assert delay.until(NOW, zone) == _ms(until)


def test_tomorrow_without_a_zone_uses_the_zone_of_this_machine():
    """Tomorrow means 8:00 in the time zone of this machine."""
    moment = datetime.fromtimestamp(RetryDelay.TOMORROW.until(NOW, None) / 1000)  # noqa: DTZ006  # meant
    assert (moment.hour, moment.minute) == (8, 0)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("15m", "2026-03-28T22:45:00Z"),
        ("1d", "2026-03-29T22:30:00Z"),
        ("2026-12-01T08:00:00+01:00", "2026-12-01T07:00:00Z"),
    ],
)
def test_a_moment_is_a_duration_or_a_time_with_a_zone(text, until):
    """The result is in milliseconds."""
    assert parse_moment(text, NOW) == _ms(until)


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-12-01T08:00:00", "15"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_any_other_moment_is_rejected(text):
    """The error shows the valid forms."""
    with pytest.raises(ValueError, match="use 15m, 1h, 1d, or a time with its zone"):
        parse_moment(text, NOW)
