"""Notification settings are changed and returned."""

from approver_tui.client.notifications.preferences import NotificationPrefsClient
from tests.support.builders.approval_texts import wire_approval


def test_a_snooze_is_set_and_ended(client, server):
    """The client returns the settings that the server responds with."""
    approval_id = server.add(wire_approval(now=server.now()))["id"]
    assert NotificationPrefsClient(client).snooze(approval_id).is_snoozed(approval_id)
    assert NotificationPrefsClient(client).settings().is_snoozed(approval_id)
    assert not NotificationPrefsClient(client).unsnooze(approval_id).is_snoozed(approval_id)
    assert server.attention["held"] == []


def test_a_hold_for_a_different_reason_is_not_a_snooze(client, server):
    """A request held by quiet hours is held, but it is not snoozed."""
    approval_id = server.add(wire_approval(now=server.now()))["id"]
    until = "2026-01-01T10:00:00.000Z"
    server.attention["held"] = [{"approval": approval_id, "until": until, "why": "quiet_hours"}]
    assert NotificationPrefsClient(client).settings().hold_of(approval_id) is not None
    assert not NotificationPrefsClient(client).settings().is_snoozed(approval_id)


def test_an_agent_is_muted_and_unmuted(client, server):
    """The agent is selected by its ID."""
    assert NotificationPrefsClient(client).mute("sayso_ag_1").mute_of("sayso_ag_1") is not None
    assert NotificationPrefsClient(client).unmute("sayso_ag_1").mute_of("sayso_ag_1") is None
    assert server.attention["mutes"] == []


def test_quiet_hours_are_set_and_cleared(client, server):
    """The quiet hours apply in the given time zone."""
    hours = (
        NotificationPrefsClient(client)
        .set_quiet_hours("22:00", "07:00", "Europe/Berlin")
        .quiet_hours
    )
    assert hours is not None
    assert (hours.begins, hours.ends, hours.zone) == ("22:00", "07:00", "Europe/Berlin")
    assert NotificationPrefsClient(client).clear_quiet_hours().quiet_hours is None
    assert server.attention["quiet_hours"] is None
