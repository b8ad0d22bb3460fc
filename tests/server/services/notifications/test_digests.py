"""What budgets held back is told of together: once, later, and to everybody whom it asks."""

from itertools import pairwise

import pytest

from server.protocol.policy.risks import Risk
from server.services.approvers.groups import Groups
from server.services.policy.policies import Policies
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import HOUR, MINUTE, SECOND
from tests.support.builders.installation import BY, registered
from tests.support.builders.policies import rule

NEWS = "https://news.example"
LIMITS = {
    "open_per_agent": 1_000,
    "open_per_user": 1_000,
    "notify_per_minute": 1,
    "notify_per_hour": 50,
    "notify_per_agent": 50,
    "notify_per_type": 50,
}


@pytest.fixture
def local(open_local):
    """One call a minute, and an agent's worth of medium risk."""
    local = open_local(**LIMITS)
    local.desk.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
    return local


@pytest.fixture
def writer(local):
    """An agent that asks for medium risk."""
    given = registered(
        local.desk,
        "writer",
        auth_method="client_secret_post",
        resources=(NEWS,),
        scopes=("news:write",),
    )
    return LocalAgent(local, given.agent.id, given.secret)


def _write(agent, count=1, **more):
    asked = {"scope": "openid news:write", "resource": NEWS, **more}
    return [agent.asked(**asked)[1] for _ in range(count)]


def _later(local, milliseconds):
    """Let time pass, and the clock do what is due; returns the digests that left so far."""
    local.clock.forward(milliseconds)
    local.services.escalations.round()
    return _digests(local)


def _digests(local):
    """Rows of the outbox."""
    return [one for one in local.messages() if one["event"] == "approval.digest"]


def _events(local, person, name):
    with local.services.store.read() as view:
        return [one for one in view.feed.after(0, person.user.id, 10_000) if one.event == name]


def test_what_a_budget_held_back_is_told_of_once_a_minute_later(local, person, writer):
    """One message for all of it, on the screens and in the outbox, however often one looks."""
    asked = _write(writer, 5)
    assert _later(local, MINUTE - 1) == []
    (told,) = _later(local, 1)
    assert (told["user"], told["waiting"], told["notify"]) == (person.user.id, 5, True)
    assert told["approval"] in {one.id for one in asked}
    (event,) = _events(local, person, "approval.digest")
    assert (event.approval_id, event.held) == (told["approval"], None)
    assert len(_later(local, 0)) == 1
    assert len(_later(local, HOUR)) == 1


def test_a_flood_that_goes_on_is_told_of_once_an_hour(local, person, writer):
    """What is held back after a digest waits for the next one."""
    for _ in range(26):
        _write(writer, 2)
        _later(local, 5 * MINUTE)
    told = [one["at"] for one in _digests(local)]
    assert [later - before for before, later in pairwise(told)] == [HOUR, HOUR]
    assert len(_events(local, person, "approval.digest")) == 3


@pytest.mark.usefixtures("person")
def test_what_was_answered_or_ran_out_meanwhile_is_not_told_of(local, writer):
    """Nothing waits any more, so nobody is called."""
    _write(writer, 3, requested_expiry="30")
    assert _later(local, MINUTE) == []
    assert _later(local, HOUR) == []


def test_low_risk_is_told_of_together_when_its_hour_is_over(local, person, agent):
    """It called once; the rest of it calls once more an hour later, and not in between."""
    for _ in range(4):
        agent.asked()
    assert _later(local, HOUR - 1) == []
    (told,) = _later(local, 1)
    assert (told["waiting"], told["user"]) == (4, person.user.id)


@pytest.mark.usefixtures("person")
def test_what_is_graver_brings_the_digest_forward_and_is_named(local, agent, writer):
    """One message for low and medium alike, which names the gravest."""
    for _ in range(2):
        agent.asked()
    grave = _write(writer, 2)
    (told,) = _later(local, MINUTE)
    assert told["waiting"] == 4
    assert told["approval"] in {one.id for one in grave}
    assert len(_later(local, 2 * HOUR)) == 1


def test_the_digest_waits_for_the_end_of_the_quiet_hours(local, person, writer):
    """Nobody is called by it in the meantime, and nothing of it is lost."""
    _write(writer, 3)
    hours = {"days": ["thu"], "from": "08:00", "to": "09:00", "zone": "UTC"}
    assert person.call("PUT", "/api/attention/quiet-hours", hours).status == 200
    assert _later(local, MINUTE) == []
    (told,) = _later(local, 6 * MINUTE)
    assert told["waiting"] == 3


def test_what_comes_from_a_muted_agent_alone_is_in_no_digest(local, person, writer):
    """Its person wants to hear nothing of it."""
    _write(writer, 3)
    assert person.call("POST", "/api/attention/mutes", {"agent": "writer"}).status == 200
    assert _later(local, HOUR) == []


def test_a_digest_is_no_hold_of_the_persons_own(person, writer):
    """They did not snooze anything, so nothing is listed as that."""
    _write(writer, 3)
    assert person.call("GET", "/api/attention").json["held"] == []


def test_each_of_several_people_has_a_budget_a_digest_and_a_mark_of_their_own(
    local, person, writer
):
    """Who was called for it sees it among the rest; who was not, below."""
    bob = new_person(local, "bob")
    groups = Groups(local.services.store, local.services.secrets)
    groups.add("finance", ["ana", "bob"], by=BY)
    _write(writer, 1, login_hint="bob")
    Policies(local.services.store).set(rule("ask", 'ask.who = ["finance"]'), by=BY)
    local.clock.forward(SECOND)
    (both,) = _write(writer)

    def held(someone):
        items = someone.call("GET", "/api/approvals").json["items"]
        return {item["id"]: item["held_back"] for item in items}[both.id]

    assert (held(person), held(bob)) == (False, True)
    assert person.show(both.id)["held_back"] is False
    assert bob.show(both.id)["held_back"] is True
    (told,) = _later(local, MINUTE)
    assert (told["user"], told["approval"]) == (bob.user.id, both.id)
