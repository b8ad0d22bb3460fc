"""Which events alert the user."""

import pytest

from approver_tui.state.notifications.events import Event, EventName

_RINGING = {EventName.REQUESTED, EventName.REMINDER, EventName.DIGEST}


@pytest.mark.parametrize("name", EventName)
def test_only_waiting_requests_that_are_not_held_alert(name):
    """Only new requests, reminders and digests alert; the server decides what is held."""
    assert Event(1, name, 0).should_alert == (name in _RINGING)
    assert not Event(1, name, 0, held="quiet_hours").should_alert
