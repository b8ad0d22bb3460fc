"""Which events alert the user."""

import pytest

from approver_tui.state.notifications.events import Event, EventName

_ALERTING = {EventName.REQUESTED, EventName.REMINDER, EventName.DIGEST}


@pytest.mark.parametrize("name", EventName)
def test_held_events_do_not_alert(name):
    """Only new requests, reminders and digests alert; the server decides what is held."""
    assert Event(1, name, 0).should_alert == (name in _ALERTING)
    assert not Event(1, name, 0, held="quiet_hours").should_alert
