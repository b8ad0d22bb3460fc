"""When the user is alerted, and the text of the alert."""

import re

import pytest

from approver_tui.attention.alert_schedule import AlertSchedule, alert_text
from approver_tui.attention.preferences import AlertLevel, AlertPreferences
from approver_tui.state.risks import Risk


class Ticks:
    """A clock in seconds that only a test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def ticks():
    """Return a clock that starts at 0."""
    return Ticks()


@pytest.fixture
def schedule(ticks):
    """Return a schedule with the default preferences and a repeat interval of 30 seconds."""
    return AlertSchedule(AlertPreferences(), ticks)


def test_each_risk_alerts_at_its_level(schedule):
    """By default low risk is silent, medium risk rings, and higher risk notifies the desktop."""
    levels = [getattr(schedule.add(risk, risk), "level", None) for risk in Risk]
    assert levels == [None, AlertLevel.BELL, AlertLevel.DESKTOP, AlertLevel.DESKTOP]


def test_the_alert_text_has_counts_and_the_highest_risk_only():
    """The text of an alert contains nothing that an agent wrote."""
    assert alert_text([Risk.HIGH]) == "Sayso: 1 high-risk request is waiting for you"
    assert alert_text([Risk.HIGH, Risk.HIGH]) == "Sayso: 2 high-risk requests are waiting for you"
    assert (
        alert_text([Risk.MEDIUM, Risk.CRITICAL, Risk.HIGH])
        == "Sayso: 3 requests are waiting for you, 1 of them critical risk"
    )
    assert re.fullmatch(r"[A-Za-z0-9:, ]+", alert_text(Risk))


def test_a_high_risk_alert_repeats_until_the_request_ends(schedule, ticks):
    """High risk alerts again after the configured seconds. Medium risk alerts only once."""
    schedule.add("medium", Risk.MEDIUM)
    schedule.add("high", Risk.HIGH)
    assert schedule.due() is None
    for moment in (30, 60):
        ticks.now = moment - 0.1
        assert schedule.due() is None
        ticks.now = moment
        again = schedule.due()
        assert again is not None
        assert (again.level, "2 requests" in again.text) == (AlertLevel.DESKTOP, True)
    schedule.remove("high")
    ticks.now = 1_000
    assert schedule.due() is None


def test_user_activity_stops_repeated_alerts(schedule, ticks):
    """After activity, only a new request alerts, and its alert counts that request alone."""
    schedule.add("one", Risk.HIGH)
    schedule.clear()
    ticks.now = 1_000
    assert schedule.due() is None
    assert schedule.add("two", Risk.HIGH).text == alert_text([Risk.HIGH])


def test_the_same_request_alerts_once(schedule):
    """A repeated event does not alert again: the feed may repeat events after a resync."""
    assert schedule.add("one", Risk.HIGH)
    assert schedule.add("one", Risk.HIGH) is None


def test_repeat_0_disables_repeated_alerts(ticks):
    """With `repeat=0`, not even a critical request alerts again."""
    schedule = AlertSchedule(AlertPreferences(repeat=0), ticks)
    schedule.add("one", Risk.CRITICAL)
    ticks.now = 10_000
    assert schedule.due() is None
    schedule.remove("unknown")
