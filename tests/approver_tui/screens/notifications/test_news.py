"""The news line for each event."""

from datetime import UTC

import pytest

from approver_tui.screens.notifications.news import URGENT_EVENTS, event_text
from approver_tui.state.notifications.events import AlarmSubject, Event, EventName
from approver_tui.state.text import SafeText
from tests.support.fakes.fake_account import a_device

BOT = AlarmSubject(SafeText("sayso_ag_1"), SafeText("invoice-bot"))
REPORTED = AlarmSubject(BOT.agent_id, BOT.agent, SafeText("sayso_in_1"))


@pytest.mark.parametrize(
    ("name", "about", "expected"),
    [
        (
            EventName.INCIDENT_OPENED,
            REPORTED,
            "ALARM: your agent invoice-bot was reported and is quarantined. Incident sayso_in_1.",
        ),
        (
            EventName.INCIDENT_OPENED,
            None,
            "ALARM: someone reported your agent; it is quarantined.",
        ),
        (
            EventName.AGENT_PAUSED,
            BOT,
            "Your agent invoice-bot was denied repeatedly and must wait.",
        ),
        (
            EventName.AGENT_ORPHANED,
            BOT,
            "The agent invoice-bot has no owner. Assign one.",
        ),
        (
            EventName.AGENT_QUARANTINED,
            REPORTED,
            "ALARM: the agent invoice-bot has no owner and is quarantined. Incident sayso_in_1.",
        ),
        (EventName.AGENT_RENAMED, BOT, "Your agent has a new name: invoice-bot."),
        (EventName.AGENT_RENAMED, None, "your agent has a new name."),
        (EventName.CODE_REUSED, BOT, "ALARM: a one-time code was used a second time."),
        (
            EventName.PASSKEY_COUNTER,
            BOT,
            "ALARM: a copy of one of your passkeys may be in use. Remove it.",
        ),
    ],
)
def test_an_alarm_names_the_agent_if_the_server_does(name, about, expected):
    """An older server sends no agent, so the message names none."""
    assert event_text(Event(1, name, 0, about=about), UTC).endswith(expected)


def test_a_lost_browser_is_announced_immediately():
    """When a push service no longer knows a browser, the event is treated as urgent."""
    phone = a_device(name=SafeText("phone"), is_this=False)
    message = event_text(Event(1, EventName.DEVICE_UNREACHED, 0, device=phone), UTC)
    assert "device phone no longer gets notifications" in message
    assert EventName.DEVICE_UNREACHED in URGENT_EVENTS
