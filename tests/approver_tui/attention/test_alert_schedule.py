"""When somebody is told, and what is said."""

import re

import pytest

from approver_tui.attention.alert_schedule import AlertSchedule, words
from approver_tui.attention.preferences import AlertLevel, AlertPreferences
from approver_tui.state.risks import Risk


class Ticks:
    """A clock in seconds that moves when told."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def ticks():
    """A clock of this test's own."""
    return Ticks()


@pytest.fixture
def ringer(ticks):
    """Default preferences: low is silent, medium rings, high asks the desktop, every 30 s."""
    return AlertSchedule(AlertPreferences(), ticks)


def test_each_risk_is_told_as_the_person_wants(ringer):
    """Low not at all."""
    ways = [getattr(ringer.asked(risk, risk), "way", None) for risk in Risk]
    assert ways == [None, AlertLevel.BELL, AlertLevel.DESKTOP, AlertLevel.DESKTOP]


def test_the_words_count_and_say_nothing_else():
    """The highest risk first in mind; no word of an agent has a place in them."""
    assert words([Risk.HIGH]) == "Sayso: 1 high-risk request is waiting for you"
    assert words([Risk.HIGH, Risk.HIGH]) == "Sayso: 2 high-risk requests are waiting for you"
    assert (
        words([Risk.MEDIUM, Risk.CRITICAL, Risk.HIGH])
        == "Sayso: 3 requests are waiting for you, 1 of them critical risk"
    )
    assert re.fullmatch(r"[A-Za-z0-9:, ]+", words(Risk))


def test_a_high_risk_is_told_again_until_it_is_over(ringer, ticks):
    """Each time after so many seconds, not before; a medium one is told once."""
    ringer.asked("medium", Risk.MEDIUM)
    ringer.asked("high", Risk.HIGH)
    assert ringer.due() is None
    for moment in (30, 60):
        ticks.now = moment - 0.1
        assert ringer.due() is None
        ticks.now = moment
        again = ringer.due()
        assert again is not None
        assert (again.way, "2 requests" in again.text) == (AlertLevel.DESKTOP, True)
    ringer.over("high")
    ticks.now = 1_000
    assert ringer.due() is None


def test_a_person_who_is_there_is_not_told_again(ringer, ticks):
    """But the next request is told, and counts from one."""
    ringer.asked("one", Risk.HIGH)
    ringer.noticed()
    ticks.now = 1_000
    assert ringer.due() is None
    assert ringer.asked("two", Risk.HIGH).text == words([Risk.HIGH])


def test_the_same_request_is_told_once(ringer):
    """The feed may hand something on twice after a resync."""
    assert ringer.asked("one", Risk.HIGH)
    assert ringer.asked("one", Risk.HIGH) is None


def test_nothing_is_repeated_when_that_is_not_wanted(ticks):
    """0 is never."""
    ringer = AlertSchedule(AlertPreferences(repeat=0), ticks)
    ringer.asked("one", Risk.CRITICAL)
    ticks.now = 10_000
    assert ringer.due() is None
    ringer.over("unknown")
