"""How points in time are written."""

from server.protocol.times import rfc3339, rfc3339_or_none, time_text
from tests.support.builders.clock import NOON


def test_programs_get_rfc_3339_in_utc_with_milliseconds():
    """The time zone of the machine has no effect."""
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(NOON + 7) == "2025-10-09T08:53:20.007Z"
    assert [rfc3339_or_none(moment) for moment in (0, None)] == [rfc3339(0), None]


def test_people_get_utc_to_the_minute():
    """Seconds are left out."""
    assert time_text(NOON + 7) == "2025-10-09 08:53 UTC"
