"""Every transition of the feed's connection."""

import itertools

import pytest

from approver_tui.state.notifications.connection import TRANSITIONS, Connection, Phase, Signal
from approver_tui.state.text import SafeText

NO_RESPONSE = SafeText("The server does not respond.")


@pytest.mark.parametrize(("phase", "signal"), list(itertools.product(Phase, Signal)))
def test_a_signal_changes_the_phase_only_if_there_is_a_transition(phase, signal):
    """A transition sets the phase and `since`; any other signal changes nothing."""
    before = Connection(phase=phase, since=1)
    after = before.after(signal, now=2)
    if (phase, signal) in TRANSITIONS:
        assert (after.phase, after.since) == (TRANSITIONS[phase, signal], 2)
    else:
        assert after is before


def test_the_reason_stays_while_connecting():
    """The reason for a lost connection is kept until the connection is live again."""
    lost = Connection(phase=Phase.LIVE).after(Signal.LOST, now=1, reason=NO_RESPONSE)
    connecting = lost.after(Signal.DIAL, now=2)
    assert (lost.reason, connecting.reason) == (NO_RESPONSE, NO_RESPONSE)
    assert connecting.after(Signal.OPENED, now=3).reason == ""


def test_only_live_is_live():
    """Only in the phase LIVE is the screen up to date."""
    assert [phase for phase in Phase if Connection(phase=phase).is_live] == [Phase.LIVE]
