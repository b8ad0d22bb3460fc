"""Notification settings are changed and returned."""

import pytest

from approver_tui.client.notifications.preferences import NotificationPrefsClient
from tests.support.builders.approval_texts import wire_approval


@pytest.fixture
def prefs_client(client):
    """Return the notification settings of an enrolled terminal."""
    return NotificationPrefsClient(client)


def test_a_snooze_is_set_and_ended(prefs_client, server):
    """A snoozed request is held until the snooze ends."""
    approval_id = server.add(wire_approval(now=server.now()))["id"]
    assert prefs_client.snooze(approval_id).approval == approval_id
    assert prefs_client.settings().is_snoozed(approval_id)
    prefs_client.unsnooze(approval_id)
    assert not prefs_client.settings().is_snoozed(approval_id)
    assert server.attention["held"] == []


def test_a_hold_for_a_different_reason_is_not_a_snooze(prefs_client, server):
    """A request held by quiet hours is held, but it is not snoozed."""
    approval_id = server.add(wire_approval(now=server.now()))["id"]
    until = "2026-01-01T10:00:00.000Z"
    server.attention["held"] = [{"approval": approval_id, "until": until, "why": "quiet_hours"}]
    assert prefs_client.settings().hold_of(approval_id) is not None
    assert not prefs_client.settings().is_snoozed(approval_id)


def test_an_agent_is_muted_and_unmuted(prefs_client, server):
    """The agent is selected by its ID."""
    assert prefs_client.mute("sayso_ag_1").agent_id == "sayso_ag_1"
    assert prefs_client.settings().mute_of("sayso_ag_1") is not None
    prefs_client.unmute("sayso_ag_1")
    assert prefs_client.settings().mute_of("sayso_ag_1") is None
    assert server.attention["mutes"] == []


def test_quiet_hours_are_set_and_cleared(prefs_client, server):
    """The quiet hours apply in the given time zone."""
    hours = prefs_client.set_quiet_hours("22:00", "07:00", "Europe/Berlin").quiet_hours
    assert hours is not None
    assert (hours.begins, hours.ends, hours.zone) == ("22:00", "07:00", "Europe/Berlin")
    prefs_client.clear_quiet_hours()
    assert prefs_client.settings().quiet_hours is None
    assert server.attention["quiet_hours"] is None
