"""Notification settings are changed and returned."""

from approver_tui.client.notifications.preferences import NotificationPrefsClient
from tests.support.builders.approval_texts import wire_approval


def test_a_snooze_is_set_and_ended(client, server):
    """The client returns the settings that the server answers with."""
    asked = server.add(wire_approval(now=server.now()))["id"]
    assert NotificationPrefsClient(client).snooze(asked).is_snoozed(asked)
    assert NotificationPrefsClient(client).settings().is_snoozed(asked)
    assert not NotificationPrefsClient(client).unsnooze(asked).is_snoozed(asked)
    assert server.attention["held"] == []


def test_a_hold_for_another_reason_is_no_snooze(client, server):
    """Quiet hours have their own reason."""
    asked = server.add(wire_approval(now=server.now()))["id"]
    until = "2026-01-01T10:00:00.000Z"
    server.attention["held"] = [{"approval": asked, "until": until, "why": "quiet_hours"}]
    assert NotificationPrefsClient(client).settings().hold_of(asked) is not None
    assert not NotificationPrefsClient(client).settings().is_snoozed(asked)


def test_an_agent_is_muted_and_unmuted(client, server):
    """The ID selects the agent."""
    assert NotificationPrefsClient(client).mute("sayso_ag_1").mute_of("sayso_ag_1") is not None
    assert NotificationPrefsClient(client).unmute("sayso_ag_1").mute_of("sayso_ag_1") is None
    assert server.attention["mutes"] == []


def test_quiet_hours_are_set_and_cleared(client, server):
    """They apply every day, in the named time zone."""
    hours = (
        NotificationPrefsClient(client)
        .set_quiet_hours("22:00", "07:00", "Europe/Berlin")
        .quiet_hours
    )
    assert hours is not None
    assert (hours.begins, hours.ends, hours.zone) == ("22:00", "07:00", "Europe/Berlin")
    assert NotificationPrefsClient(client).clear_quiet_hours().quiet_hours is None
    assert server.attention["quiet_hours"] is None
