"""Every transition of the feed's connection."""

import itertools

import pytest

from approver_tui.state.notifications.connection import TRANSITIONS, Connection, Phase, Signal
from approver_tui.state.text import SafeText

GONE = SafeText("The server does not answer.")


@pytest.mark.parametrize(("phase", "signal"), list(itertools.product(Phase, Signal)))
def test_every_signal_in_every_phase(phase, signal):
    """A signal with a row moves and sets `since`; one without changes nothing."""
    before = Connection(phase=phase, since=1)
    after = before.after(signal, now=2)
    if (phase, signal) in TRANSITIONS:
        assert (after.phase, after.since) == (TRANSITIONS[phase, signal], 2)
    else:
        assert after is before


def test_the_reason_stays_while_connecting():
    """It goes when live."""
    lost = Connection(phase=Phase.LIVE).after(Signal.LOST, now=1, reason=GONE)
    dialling = lost.after(Signal.DIAL, now=2)
    assert (lost.reason, dialling.reason) == (GONE, GONE)
    assert dialling.after(Signal.OPENED, now=3).reason == ""


def test_only_live_is_live():
    """While it connects, what is on the screen may be old."""
    assert [phase for phase in Phase if Connection(phase=phase).is_live] == [Phase.LIVE]
