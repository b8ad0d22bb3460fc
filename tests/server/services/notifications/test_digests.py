"""Digests: held-back requests are notified together, once and later."""

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
    """One notification a minute, and a resource of medium risk."""
    local = open_local(**LIMITS)
    local.admin.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
    return local


@pytest.fixture
def writer(local):
    """An agent that asks for medium risk."""
    registration = registered(
        local.admin,
        "writer",
        auth_method="client_secret_post",
        resources=(NEWS,),
        scopes=("news:write",),
    )
    return LocalAgent(local, registration.agent.id, registration.secret)


def _write(agent, count=1, **more):
    parameters = {"scope": "openid news:write", "resource": NEWS, **more}
    return [agent.asked(**parameters)[1] for _ in range(count)]


def _later(local, milliseconds):
    """Let time pass and run the escalations; returns the digests so far."""
    local.clock.forward(milliseconds)
    local.services.escalations.round()
    return _digests(local)


def _digests(local):
    """Digest messages in the outbox."""
    return [message for message in local.messages() if message["event"] == "approval.digest"]


def _events(local, person, name):
    with local.services.store.read() as view:
        return [one for one in view.feed.after(0, person.user.id, 10_000) if one.event == name]


def test_held_back_requests_are_notified_once_after_a_minute(local, person, writer):
    """The feed and the outbox have one message for all of them."""
    approvals = _write(writer, 5)
    assert _later(local, MINUTE - 1) == []
    (digest,) = _later(local, 1)
    assert (digest["user"], digest["waiting"], digest["notify"]) == (person.user.id, 5, True)
    assert digest["approval"] in {approval.id for approval in approvals}
    (event,) = _events(local, person, "approval.digest")
    assert (event.approval_id, event.held) == (digest["approval"], None)
    assert len(_later(local, 0)) == 1
    assert len(_later(local, HOUR)) == 1


def test_an_ongoing_flood_is_notified_once_an_hour(local, person, writer):
    """Later requests wait for the next digest."""
    for _ in range(26):
        _write(writer, 2)
        _later(local, 5 * MINUTE)
    times = [digest["at"] for digest in _digests(local)]
    assert [later - before for before, later in pairwise(times)] == [HOUR, HOUR]
    assert len(_events(local, person, "approval.digest")) == 3


@pytest.mark.usefixtures("person")
def test_expired_requests_are_in_no_digest(local, writer):
    """If nothing is pending, no digest is sent."""
    _write(writer, 3, requested_expiry="30")
    assert _later(local, MINUTE) == []
    assert _later(local, HOUR) == []


def test_low_risk_requests_are_notified_together_after_an_hour(local, person, agent):
    """The first notifies at once, and the rest an hour later."""
    for _ in range(4):
        agent.asked()
    assert _later(local, HOUR - 1) == []
    (digest,) = _later(local, 1)
    assert (digest["waiting"], digest["user"]) == (4, person.user.id)


@pytest.mark.usefixtures("person")
def test_higher_risk_sends_the_digest_earlier_and_is_named_in_it(local, agent, writer):
    """Low and medium risk share one message."""
    for _ in range(2):
        agent.asked()
    medium = _write(writer, 2)
    (digest,) = _later(local, MINUTE)
    assert digest["waiting"] == 4
    assert digest["approval"] in {one.id for one in medium}
    assert len(_later(local, 2 * HOUR)) == 1


def test_a_digest_waits_for_the_end_of_quiet_hours(local, person, writer):
    """Then it contains all of them."""
    _write(writer, 3)
    hours = {"days": ["thu"], "from": "08:00", "to": "09:00", "zone": "UTC"}
    assert person.call("PUT", "/api/attention/quiet-hours", hours).status == 200
    assert _later(local, MINUTE) == []
    (digest,) = _later(local, 6 * MINUTE)
    assert digest["waiting"] == 3


def test_requests_of_muted_agents_are_in_no_digest(local, person, writer):
    """The person chose not to hear of these agents."""
    _write(writer, 3)
    assert person.call("POST", "/api/attention/mutes", {"agent": "writer"}).status == 200
    assert _later(local, HOUR) == []


def test_held_back_requests_are_not_listed_as_snoozed(person, writer):
    """The person did not snooze them."""
    _write(writer, 3)
    assert person.call("GET", "/api/attention").json["held"] == []


def test_budgets_and_digests_are_separate_for_each_approver(local, person, writer):
    """A request held back for one may have notified another."""
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
    (digest,) = _later(local, MINUTE)
    assert (digest["user"], digest["approval"]) == (bob.user.id, both.id)
