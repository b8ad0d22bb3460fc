"""Quiet hours, mutes and snoozes pause notifications and nothing else."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from server.model.policy import Hours
from server.services.notifications.attention import quiet_until
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.clock import HOUR, MINUTE

NIGHT = {"from": "10:00", "to": "12:00", "zone": "Europe/Berlin"}
"""The clock of a test starts at 10:53:20 in Berlin."""
_MS_TO_FULL_HOUR = 6 * MINUTE + 40_000
"""Milliseconds from the start of the test to the next full hour."""


@pytest.fixture
def local(open_local):
    """An installation without a limit for low-risk notifications."""
    return open_local(notify_low_per_hour=1_000)


def _events(local, person, name):
    """Return, for each event of this name, the reason why it did not notify, or None."""
    with local.services.store.read() as view:
        events = view.feed.events_after(0, person.user.id, 1_000)
    return [event.not_notified_because for event in events if event.event == name]


def _request_hold_reasons(local, person):
    return _events(local, person, "approval.requested")


def _reminder_hold_reasons(local, person):
    return _events(local, person, "approval.reminder")


def _set_quiet_hours(person, **members):
    return person.call("PUT", "/api/attention/quiet-hours", {**NIGHT, **members})


def _settings(person):
    return person.call("GET", "/api/attention").json


def _move_on(local, person, milliseconds):
    local.clock.forward(milliseconds)
    person.refresh()
    return local.services.escalations.round()


def test_quiet_hours_are_set_shown_and_cleared(person, local):
    """Each change writes an audit entry and sends an event."""
    assert _settings(person)["quiet_hours"] is None
    answer = _set_quiet_hours(person, days=["thu", "mon"])
    assert answer.status == 200
    assert answer.json["quiet_hours"] == {"days": ["mon", "thu"], **NIGHT}
    assert answer.json["quiet_until"] == "2025-10-09T10:00:00.000Z"
    assert _set_quiet_hours(person, to="24:00").json["quiet_hours"]["to"] == "24:00"
    assert _settings(person)["quiet_hours"]["days"] == [
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
    ]
    for _ in range(2):
        assert person.call("DELETE", "/api/attention/quiet-hours").status == 204
    assert _settings(person)["quiet_hours"] is None
    (entry, _) = local.admin.entries("quiet_hours.set")
    assert entry["facts"] == {"device": person.device_id, "days": ["mon", "thu"], **NIGHT}
    assert len(local.admin.entries("quiet_hours.cleared")) == 1
    assert len(_events(local, person, "attention.changed")) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe/Nowhere"},
        {"zone": "../etc/passwd"},
        {"zone": ""},
        {"from": "24:00"},
        {"to": "7:00"},
        {"to": "25:00"},
        {"days": []},
        {"days": ["noday"]},
        {"more": 1},
        {"begins": "10:00"},
    ],
)
def test_invalid_quiet_hours_are_refused(person, wrong):
    """The quiet hours that were set before stay in force."""
    _set_quiet_hours(person, to="11:00")
    assert _set_quiet_hours(person, **wrong).refusal == (422, "invalid_body")
    assert _settings(person)["quiet_hours"]["to"] == "11:00"


def test_a_request_in_quiet_hours_is_listed_and_notifies_when_they_end(agent, person, local):
    """The request notifies once, if it is still pending when quiet hours end."""
    agent.request_approval()
    _set_quiet_hours(person)
    _, pending = agent.request_approval()
    _, answered = agent.request_approval()
    assert _request_hold_reasons(local, person) == [None, "quiet_hours", "quiet_hours"]
    listed = person.call("GET", "/api/approvals").json["items"]
    assert {pending.id, answered.id} <= {item["id"] for item in listed}
    assert [held["why"] for held in _settings(person)["held"]] == ["quiet_hours"] * 2
    person.deny(answered.id)
    assert _move_on(local, person, HOUR + _MS_TO_FULL_HOUR - 1) == 0
    assert local.services.escalations.round() == 0
    assert _move_on(local, person, 1) == 1
    assert local.services.escalations.round() == 0
    assert _reminder_hold_reasons(local, person) == [None]


def test_high_risk_notifies_in_quiet_hours_and_from_a_muted_agent(agent, person, local):
    """Pauses need no signature, so they must not hold back high-risk requests."""
    agent.request_approval()
    _set_quiet_hours(person)
    person.call("POST", "/api/attention/mutes", {"agent": agent.id})
    _, approval = agent.request_payment()
    assert _request_hold_reasons(local, person) == [None, None]
    answer = person.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 1})
    assert answer.refusal == (422, "cannot_snooze")


def test_a_request_that_expires_in_quiet_hours_never_notifies(agent, person, local):
    """Quiet hours do not extend the expiry of a request."""
    _set_quiet_hours(person)
    _, approval = agent.request_approval(requested_expiry="60")
    assert _settings(person)["held"] == []
    _move_on(local, person, HOUR + _MS_TO_FULL_HOUR)
    local.services.sweeper.round()
    assert local.stored_approval(approval.id).state == "expired"
    assert _reminder_hold_reasons(local, person) == []


def test_clearing_quiet_hours_notifies_held_requests(agent, person, local):
    """Changed quiet hours that still apply keep holding the requests."""
    _set_quiet_hours(person)
    agent.request_approval()
    _set_quiet_hours(person, to="13:00")
    assert local.services.escalations.round() == 1
    assert _reminder_hold_reasons(local, person) == ["quiet_hours"]
    person.call("DELETE", "/api/attention/quiet-hours")
    assert local.services.escalations.round() == 1
    assert _reminder_hold_reasons(local, person) == ["quiet_hours", None]


def test_quiet_hours_apply_to_one_person(agent, person, local):
    """Requests to other people still notify."""
    _set_quiet_hours(person)
    other = new_person(local, "bob")
    agent.request_approval(login_hint="bob")
    assert _request_hold_reasons(local, other) == [None]


def test_an_agent_is_muted_for_a_while_or_until_it_is_unmuted(agent, person, local):
    """An agent can be muted by name or ID, and its requests are still listed."""
    agent.request_approval()
    name = person.call("GET", "/api/approvals").json["items"][0]["agent"]["name"]
    muted = person.call("POST", "/api/attention/mutes", {"agent": name, "minutes": 5})
    assert muted.json["agent"] == {"id": agent.id, "name": name}
    agent.request_approval()
    _move_on(local, person, 5 * MINUTE)
    assert _settings(person)["mutes"] == []
    agent.request_approval()
    muted = person.call("POST", "/api/attention/mutes", {"agent": agent.id})
    assert muted.json["until"] is None
    assert _settings(person)["mutes"] == [muted.json]
    agent.request_approval()
    assert person.call("DELETE", f"/api/attention/mutes/{agent.id}").status == 204
    agent.request_approval()
    assert _request_hold_reasons(local, person) == [None, "muted", None, "muted", None]
    assert len(person.call("GET", "/api/approvals").json["items"]) == 5
    first, second = local.admin.entries("agent.muted")
    assert (first["agent_id"], "until" in first["facts"]) == (agent.id, True)
    assert (second["agent_id"], "until" in second["facts"]) == (agent.id, False)
    (entry,) = local.admin.entries("agent.unmuted")
    assert entry["agent_id"] == agent.id


def test_only_an_agent_that_sent_a_request_can_be_muted(agent, person):
    """An agent that never sent the person a request looks the same as an unknown one."""
    for called in ("nobody", agent.id):
        answer = person.call("POST", "/api/attention/mutes", {"agent": called})
        assert answer.refusal == (404, "not_found")
        assert person.call("DELETE", f"/api/attention/mutes/{called}").refusal == (404, "not_found")
    agent.request_approval()
    assert person.call("POST", "/api/attention/mutes", {"agent": agent.id}).status == 200


def test_deleting_an_agent_removes_its_mute(agent, person, local):
    """The settings no longer list a mute for a deleted agent."""
    _, approval = agent.request_approval()
    person.call("POST", "/api/attention/mutes", {"agent": agent.id})
    person.deny(approval.id)
    local.admin.agents.delete(agent.id, by="operator")
    assert _settings(person)["mutes"] == []


def test_a_snoozed_request_notifies_later(agent, person, local):
    """A snoozed request sends its reminder when the snooze ends."""
    _, approval = agent.request_approval()
    answer = person.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 10})
    assert answer.json == {
        "approval": approval.id,
        "until": "2025-10-09T09:03:20.000Z",
        "why": "snoozed",
    }
    assert _settings(person)["held"] == [answer.json]
    assert _move_on(local, person, 9 * MINUTE) == 0
    assert _move_on(local, person, MINUTE) == 1
    assert _reminder_hold_reasons(local, person) == [None]
    (entry,) = local.admin.entries("approval.snoozed")
    assert (entry["approval_id"], entry["agent_id"]) == (approval.id, agent.id)


def test_a_snooze_can_be_cancelled(agent, person, local):
    """A canceled snooze sends no reminder, because the person is present."""
    _, approval = agent.request_approval()
    path = f"/api/approvals/{approval.id}/snooze"
    assert person.call("DELETE", path).refusal == (404, "not_found")
    person.call("POST", path, {"minutes": 10})
    assert person.call("DELETE", path).status == 204
    assert _move_on(local, person, 10 * MINUTE) == 0
    (entry,) = local.admin.entries("approval.woken")
    assert entry["approval_id"] == approval.id


def test_a_snooze_past_the_expiry_is_refused(agent, person, local):
    """The request would otherwise expire without a notification."""
    _, approval = agent.request_approval()
    path = f"/api/approvals/{approval.id}/snooze"
    minutes = (approval.expires_at - local.clock.now()) // MINUTE
    assert person.call("POST", path, {"minutes": minutes}).refusal == (422, "invalid_body")
    assert person.call("POST", path, {"minutes": minutes - 1}).status == 200


def test_only_pending_requests_of_the_person_can_be_snoozed(agent, person, local):
    """A request to another person is not found, and a decided one is not pending."""
    other = new_person(local, "bob")
    _, approval = agent.request_approval()
    path = f"/api/approvals/{approval.id}/snooze"
    assert other.call("POST", path, {"minutes": 1}).refusal == (404, "not_found")
    person.deny(approval.id)
    assert person.call("POST", path, {"minutes": 1}).refusal == (409, "not_pending")


def test_notification_settings_apply_to_all_devices(person):
    """Quiet hours set on one device are shown on the others."""
    _set_quiet_hours(person)
    assert _settings(another_device(person))["quiet_hours"] == _settings(person)["quiet_hours"]


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2025-10-09 21:59", None),
        ("2025-10-09 22:00", "2025-10-10 07:00"),
        ("2025-10-10 06:59", "2025-10-10 07:00"),
        ("2025-10-10 07:00", None),
        ("2025-10-12 23:00", None),  # a Sunday
        ("2025-10-11 06:00", "2025-10-11 07:00"),  # the quiet hours of Friday end
        ("2025-10-26 06:30", None),
    ],
)
def test_quiet_hours_past_midnight_belong_to_the_day_they_begin(now, ends):
    """Quiet hours are set for Monday to Friday in the person's time zone."""
    hours = Hours(time(22), time(7), (0, 1, 2, 3, 4), "Europe/Berlin")
    expected = None if ends is None else _ms(ends)
    assert quiet_until(hours, _ms(now)) == expected


def test_a_quiet_day_lasts_24_hours():
    """A quiet day lasts from 00:00 to 24:00; two in a row end together."""
    hours = Hours(time(), time(), (5, 6), "Europe/Berlin")
    assert quiet_until(hours, _ms("2025-10-11 00:00")) == _ms("2025-10-12 00:00")
    assert quiet_until(hours, _ms("2025-10-12 23:59")) == _ms("2025-10-13 00:00")
    assert quiet_until(hours, _ms("2025-10-13 00:00")) is None


def test_quiet_hours_follow_the_clock_change():
    """Quiet hours end at a wall-clock time, so that night they last an hour longer."""
    hours = Hours(time(22), time(7), (5,), "Europe/Berlin")
    begins = _ms("2025-10-25 22:00")
    assert quiet_until(hours, begins) == begins + 10 * HOUR


def _ms(iso_time):
    berlin_time = datetime.fromisoformat(iso_time).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return round(berlin_time.timestamp() * 1000)
