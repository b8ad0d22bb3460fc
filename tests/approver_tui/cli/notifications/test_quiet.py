"""`quiet`, `mute`, `snooze` and `extend`."""

import pytest

from approver_tui.cli.exits import Exit
from tests.support.builders.approval_texts import wire_approval


def test_nothing_is_set_by_default(logged_in):
    """Even when no quiet hours are set, the output says which risk levels are never silenced."""
    assert logged_in("quiet", "--json").document == {
        "schema": "sayso.attention/1",
        "quiet_hours": None,
        "quiet_until": None,
        "mutes": [],
        "held": [],
    }
    output = logged_in("quiet").out
    assert output.startswith("No quiet hours.\n")
    assert "high- and critical-risk requests still notify you" in output


def test_quiet_hours_are_set_and_cleared(logged_in, server):
    """The flags set the times, the time zone and the days; `quiet off` clears them."""
    night = ("quiet", "set", "--from", "22:00", "--to", "07:00", "--zone", "Europe/Berlin")
    hours = logged_in(*night, "--day", "fri", "--day", "sat", "--json").document["quiet_hours"]
    expected = {"days": ["fri", "sat"], "from": "22:00", "to": "07:00", "zone": "Europe/Berlin"}
    assert hours == server.attention["quiet_hours"] == expected
    server.attention["quiet_until"] = "2026-01-01T10:00:00.000Z"
    output = logged_in("quiet").out
    assert "Quiet hours: 22:00 to 07:00 Europe/Berlin, fri, sat." in output
    assert "Quiet now, until 2026-01-01" in output
    assert logged_in("quiet", "off", "--json").document["quiet_hours"] is None


@pytest.mark.parametrize(
    ("begins", "ends"), [("25:00", "07:00"), ("22:00", "3"), ("22:00", "24:01")]
)
def test_an_invalid_time_of_day_is_a_usage_error(logged_in, server, begins, ends):
    """The error shows a valid time, and nothing is sent."""
    result = logged_in("quiet", "set", "--from", begins, "--to", ends, "--zone", "Europe/Berlin")
    assert result.code == Exit.USAGE
    assert "use HH:MM, such as 22:00" in result.err
    assert server.attention["quiet_hours"] is None


def test_all_seven_days_are_shown_as_every_day(logged_in, server):
    """The output says "every day" if the server returns all seven days."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    night = ("quiet", "set", "--from", "22:00", "--to", "07:00", "--zone", "UTC")
    assert logged_in(*night).code == Exit.DONE
    assert server.attention["quiet_hours"]["days"] == ["mon", "tue"]
    server.attention["quiet_hours"]["days"] = days
    assert "22:00 to 07:00 UTC, every day." in logged_in("quiet").out


def test_the_zone_defaults_to_the_zone_of_this_machine(logged_in, server, monkeypatch):
    """On a machine whose time zone is unknown, --zone is required."""
    night = ("quiet", "set", "--from", "22:00", "--to", "07:00")
    monkeypatch.setattr("approver_tui.settings.local_zone", lambda: "Asia/Tokyo")
    assert logged_in(*night).code == Exit.DONE
    assert server.attention["quiet_hours"]["zone"] == "Asia/Tokyo"
    monkeypatch.setattr("approver_tui.settings.local_zone", lambda: None)
    assert logged_in(*night).code == Exit.USAGE


@pytest.mark.parametrize(("minutes", "until"), [((), "until you"), (("--minutes", "5"), "until 2")])
def test_an_agent_is_muted_and_unmuted(logged_in, minutes, until):
    """An agent is selected by its name or by its ID."""
    assert until in logged_in("mute", "invoice-bot", *minutes).out
    (mute,) = logged_in("quiet", "--json").document["mutes"]
    assert mute["agent"] == {"id": "sayso_ag_1", "name": "invoice-bot"}
    assert "Muted: invoice-bot" in logged_in("quiet").out
    assert logged_in("unmute", "invoice-bot", "--json").document["agent"] == "invoice-bot"
    assert logged_in("unmute", "sayso_ag_1").code == Exit.NOT_FOUND
    assert logged_in("mute", "invoice-bot", "--json").document["schema"] == "sayso.mute/1"
    assert logged_in("unmute", "sayso_ag_1").out == "Unmuted.\n"


def test_a_request_is_snoozed_and_unsnoozed(logged_in, server):
    """A snoozed request stays in the inbox."""
    approval = server.add(wire_approval(risk="medium", now=server.now()))
    document = logged_in("snooze", approval["id"], "--minutes", "5", "--json").document
    assert (document["approval"], document["until"]) == (approval["id"], "2026-01-01T10:00:00.000Z")
    assert "Snoozed until 2026" in logged_in("snooze", approval["id"]).out
    assert f"Held back: {approval['id']} until 2026" in logged_in("quiet").out
    assert len(logged_in("inbox", "--json").document["items"]) == 1
    assert logged_in("snooze", approval["id"], "--off").out == "Not snoozed.\n"
    assert logged_in("quiet", "--json").document["held"] == []


def test_a_request_is_extended(logged_in, server):
    """After the extension, every command prints the new expiry."""
    approval = server.add(wire_approval(risk="medium", now=server.now()))
    document = logged_in("extend", approval["id"], "--json").document
    assert (document["id"], document["expires_at"]) == (approval["id"], "2030-01-01T10:00:00.000Z")
    assert "It now expires at 2030-01-01" in logged_in("extend", approval["id"]).out
    (listed,) = logged_in("inbox", "--json").document["items"]
    assert listed["expires_at"] == "2030-01-01T10:00:00.000Z"


def test_two_equal_times_mean_24_hours(logged_in):
    """The output says so, because a reader could take them for no quiet hours."""
    logged_in("quiet", "set", "--from", "22:00", "--to", "22:00", "--zone", "UTC")
    assert "Quiet hours: 22:00 to 22:00 (24 hours) UTC" in logged_in("quiet").out
