"""An agent learns when somebody is back, where all who are asked want to be left alone."""

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
def told(local, agent):
    """What a poll says of when somebody is back; every one in time."""

    def poll(handle):
        local.clock.forward(6_000)
        answer = agent.poll(handle)
        assert answer.refusal == (400, "authorization_pending")
        return answer.json.get("held_until")

    return poll


def _quiet(person):
    assert person.call("PUT", "/api/attention/quiet-hours", NIGHT).status == 200


def _mute(person, agent, **members):
    wish = {"agent": agent.id, **members}
    assert person.call("POST", "/api/attention/mutes", wish).status in {200, 201}


def test_quiet_hours_say_until_when(agent, person, told):
    """And nothing once they are over, or cleared."""
    handle, _ = agent.asked()
    assert told(handle) is None
    _quiet(person)
    assert told(handle) == MORNING
    person.call("DELETE", "/api/attention/quiet-hours")
    assert told(handle) is None


def test_a_snooze_says_until_when(agent, person, told):
    """Of this request alone."""
    handle, approval = agent.asked()
    other, _ = agent.asked()
    until = person.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 10}).json
    assert told(handle) == until["until"]
    assert told(other) is None


def test_a_mute_says_until_when_if_it_has_an_end(agent, person, told):
    """One without says nothing: nobody knows."""
    handle, _ = agent.asked()
    _mute(person, agent)
    assert told(handle) is None
    _mute(person, agent, minutes=30)
    assert told(handle) == "2025-10-09T09:23:26.000Z"


def test_what_rings_all_the_same_says_nothing(agent, person, told):
    """High risk rings in quiet hours."""
    _quiet(person)
    handle, _ = agent.asked_payment()
    assert told(handle) is None


def test_of_several_people_the_first_who_is_back_counts(agent, person, local, told):
    """And nobody is waited for while one of them can be called."""
    ben = new_person(local, "ben")
    who = ("ask.quorum = 1", 'ask.who = ["ana", "ben"]')
    Policies(local.services.store).set(rule("ask", *who), by=BY)
    handle, approval = agent.asked()
    _quiet(person)
    assert told(handle) is None
    until = ben.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 5}).json["until"]
    assert told(handle) == until
    local.clock.forward(5 * MINUTE)
    assert told(handle) is None


def test_where_people_are_hidden_nobody_learns_when_they_sleep(open_local, template):
    """It would say that somebody of this name exists."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    handle, _ = agent.asked()
    _quiet(person)
    local.clock.forward(6_000)
    assert "held_until" not in agent.poll(handle).json
