"""What an event is to whoever does not look at the screen."""

import pytest

from approver_tui.state.notifications.events import Event, EventName

_RINGING = {EventName.REQUESTED, EventName.REMINDER, EventName.DIGEST}


@pytest.mark.parametrize("name", EventName)
def test_only_what_waits_for_an_answer_rings_and_not_what_is_held(name):
    """Everything else is read by who looks; the server says what is held, and why."""
    assert Event(1, name, 0).rings == (name in _RINGING)
    assert not Event(1, name, 0, held="quiet_hours").rings
