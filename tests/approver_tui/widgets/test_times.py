"""Times in words are rounded down."""

from datetime import UTC

import pytest

from approver_tui.widgets.times import age, clock, duration_text, remaining, remaining_in_words
from tests.support.fakes.fake_clock import NOW


@pytest.mark.parametrize(
    ("left", "short", "long"),
    [
        (-5, "0:00", "in 0 s"),
        (59_999, "0:59", "in 59 s"),
        (60_000, "1:00", "in 1 min 00 s"),
        (252_000, "4:00", "in 4 min 00 s"),
        (255_000, "4:15", "in 4 min 15 s"),
        (3_600_000, "1 h 00", "in 1 h 00 min"),
        (90_000_000, "1 d 1 h", "in 1 d 1 h"),
    ],
)
def test_remaining_time(left, short, long):
    """Short forms count single seconds below a minute and steps of 15 seconds above it."""
    assert remaining(NOW + left, NOW) == short
    assert remaining_in_words(NOW + left, NOW) == long


def test_a_time_on_another_day_has_its_date_and_zone():
    """A time today has no date, and a time on another day has its date and time zone."""
    assert clock(NOW, NOW, UTC) == "14:32:07"
    assert clock(NOW + 86_400_000, NOW, UTC) == "25 Nov 2026 14:32:07 UTC"


def test_a_duration_is_exact_to_the_second():
    """A duration does not change any more, so minutes are shown with their seconds."""
    spans = (-1, 47_900, 251_000, 11_520_000, 183_600_000)
    assert [duration_text(span) for span in spans] == [
        "0 s",
        "47 s",
        "4 min 11 s",
        "3 h 12 min",
        "2 d 3 h",
    ]


def test_ages():
    """An age is shown in whole seconds, minutes or hours."""
    assert [age(NOW - past, NOW) for past in (5_000, 125_000, 7_300_000)] == [
        "5 s",
        "2 min",
        "2 h",
    ]
