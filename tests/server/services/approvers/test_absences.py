"""A poll tells the agent how long notifications to all of its approvers are paused."""

import pytest

from server.services.policy.policies import Policies
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.policies import rule

NIGHT = {"from": "10:00", "to": "12:00", "zone": "Europe/Berlin"}
"""The clock of an installation begins at 10:53:20 there."""
MORNING = "2025-10-09T10:00:00.000Z"


@pytest.fixture
def held_until(local, agent):
    """Returns the held_until member of a poll that respects the polling interval."""

    def poll(handle):
        local.clock.forward(6_000)
        answer = agent.poll(handle)
        assert answer.refusal == (400, "authorization_pending")
        return answer.json.get("held_until")

    return poll


def _set_quiet_hours(person):
    assert person.call("PUT", "/api/attention/quiet-hours", NIGHT).status == 200


def _mute(person, agent, **members):
    body = {"agent": agent.id, **members}
    assert person.call("POST", "/api/attention/mutes", body).status in {200, 201}


def test_quiet_hours_set_held_until(agent, person, held_until):
    """Quiet hours that have ended or were cleared set no held_until."""
    handle, _ = agent.request_approval()
    assert held_until(handle) is None
    _set_quiet_hours(person)
    assert held_until(handle) == MORNING
    person.call("DELETE", "/api/attention/quiet-hours")
    assert held_until(handle) is None


def test_a_snooze_sets_held_until(agent, person, held_until):
    """Snoozing one request does not affect another."""
    handle, approval = agent.request_approval()
    other, _ = agent.request_approval()
    until = person.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 10}).json
    assert held_until(handle) == until["until"]
    assert held_until(other) is None


def test_a_mute_sets_held_until_if_it_has_an_end(agent, person, held_until):
    """A mute without an end sets no held_until."""
    handle, _ = agent.request_approval()
    _mute(person, agent)
    assert held_until(handle) is None
    _mute(person, agent, minutes=30)
    assert held_until(handle) == "2025-10-09T09:23:26.000Z"


def test_a_request_that_notifies_in_quiet_hours_has_no_held_until(agent, person, held_until):
    """High-risk requests notify in quiet hours, so nothing is held."""
    _set_quiet_hours(person)
    handle, _ = agent.request_payment()
    assert held_until(handle) is None


def test_with_several_approvers_the_first_to_return_counts(agent, person, local, held_until):
    """There is no held_until while one of the approvers can be notified."""
    ben = new_person(local, "ben")
    members = ("ask.quorum = 1", 'ask.who = ["ana", "ben"]')
    Policies(local.services.store).set(rule("ask", *members), by=BY)
    handle, approval = agent.request_approval()
    _set_quiet_hours(person)
    assert held_until(handle) is None
    until = ben.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 5}).json["until"]
    assert held_until(handle) == until
    local.clock.forward(5 * MINUTE)
    assert held_until(handle) is None


def test_with_hidden_users_polls_have_no_held_until(open_local, template):
    """The member would reveal that the person exists."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    handle, _ = agent.request_approval()
    _set_quiet_hours(person)
    local.clock.forward(6_000)
    assert "held_until" not in agent.poll(handle).json
