"""Digests: requests that were held back are notified together, later and only once."""

from itertools import pairwise

import pytest

from server.protocol.policy.risks import Risk
from server.services.approvers.groups import Groups
from server.services.policy.policies import Policies
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import HOUR, MINUTE, SECOND
from tests.support.builders.installation import BY
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
    """A site that allows one notification a minute and has a resource of medium risk."""
    local = open_local(**LIMITS)
    local.admin.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
    return local


@pytest.fixture
def writer(local):
    """An agent that sends medium-risk requests."""
    return new_local_agent(local, "writer", resources=(NEWS,), scopes=("news:write",))


def _write(agent, count=1, **more):
    parameters = {"scope": "openid news:write", "resource": NEWS, **more}
    return [agent.request_approval(**parameters)[1] for _ in range(count)]


def _advance(local, milliseconds):
    """Let time pass, run the escalations, and return the digests sent so far."""
    local.clock.forward(milliseconds)
    local.services.escalations.round()
    return _digests(local)


def _digests(local):
    """Return the digest messages in the outbox."""
    return [message for message in local.messages() if message["event"] == "approval.digest"]


def _events(local, person, name):
    with local.services.store.read() as view:
        events = view.feed.events_after(0, person.user.id, 10_000)
    return [event for event in events if event.event == name]


def test_held_back_requests_are_notified_once_after_a_minute(local, person, writer):
    """The feed and the outbox each get one message for all of the requests."""
    approvals = _write(writer, 5)
    assert _advance(local, MINUTE - 1) == []
    (digest,) = _advance(local, 1)
    assert (digest["user"], digest["waiting"], digest["notify"]) == (person.user.id, 5, True)
    assert digest["approval"] in {approval.id for approval in approvals}
    (event,) = _events(local, person, "approval.digest")
    assert (event.approval_id, event.not_notified_because) == (digest["approval"], None)
    assert len(_advance(local, 0)) == 1
    assert len(_advance(local, HOUR)) == 1


def test_an_ongoing_flood_is_notified_once_an_hour(local, person, writer):
    """Requests that are held back after a digest wait for the next digest."""
    for _ in range(26):
        _write(writer, 2)
        _advance(local, 5 * MINUTE)
    times = [digest["at"] for digest in _digests(local)]
    assert [later - before for before, later in pairwise(times)] == [HOUR, HOUR]
    assert len(_events(local, person, "approval.digest")) == 3


@pytest.mark.usefixtures("person")
def test_expired_requests_are_left_out_of_digests(local, writer):
    """If none of the requests is still pending, no digest is sent."""
    _write(writer, 3, requested_expiry="30")
    assert _advance(local, MINUTE) == []
    assert _advance(local, HOUR) == []


def test_low_risk_requests_are_notified_together_after_an_hour(local, person, agent):
    """The first notifies immediately; an hour later, one digest contains the rest."""
    for _ in range(4):
        agent.request_approval()
    assert _advance(local, HOUR - 1) == []
    (digest,) = _advance(local, 1)
    assert (digest["waiting"], digest["user"]) == (4, person.user.id)


@pytest.mark.usefixtures("person")
def test_a_digest_is_sent_earlier_for_higher_risk_and_names_it(local, agent, writer):
    """Low and medium risk share one digest, which is sent when medium risk is due."""
    for _ in range(2):
        agent.request_approval()
    medium = _write(writer, 2)
    (digest,) = _advance(local, MINUTE)
    assert digest["waiting"] == 4
    assert digest["approval"] in {approval.id for approval in medium}
    assert len(_advance(local, 2 * HOUR)) == 1


def test_a_digest_waits_for_the_end_of_quiet_hours(local, person, writer):
    """When quiet hours end, one digest contains all requests that were held back."""
    _write(writer, 3)
    hours = {"days": ["thu"], "from": "08:00", "to": "09:00", "zone": "UTC"}
    assert person.call("PUT", "/api/attention/quiet-hours", hours).status == 200
    assert _advance(local, MINUTE) == []
    (digest,) = _advance(local, 6 * MINUTE)
    assert digest["waiting"] == 3


def test_requests_from_muted_agents_are_left_out_of_digests(local, person, writer):
    """The person has chosen not to be notified about a muted agent."""
    _write(writer, 3)
    assert person.call("POST", "/api/attention/mutes", {"agent": "writer"}).status == 200
    assert _advance(local, HOUR) == []


def test_held_back_requests_are_not_listed_as_snoozed(person, writer):
    """The attention settings list only requests that the person has paused."""
    _write(writer, 3)
    assert person.call("GET", "/api/attention").json["held"] == []


def test_limits_and_digests_are_separate_for_each_approver(local, person, writer):
    """A request that is held back for one approver can notify another."""
    bob = new_person(local, "bob")
    groups = Groups(local.services.store, local.services.secrets)
    groups.add("finance", ["ana", "bob"], by=BY)
    _write(writer, 1, login_hint="bob")
    Policies(local.services.store).set(rule("ask", 'ask.who = ["finance"]'), by=BY)
    local.clock.forward(SECOND)
    (shared,) = _write(writer)

    def is_held_back(approver):
        items = approver.call("GET", "/api/approvals").json["items"]
        return {item["id"]: item["held_back"] for item in items}[shared.id]

    assert (is_held_back(person), is_held_back(bob)) == (False, True)
    assert person.show(shared.id)["held_back"] is False
    assert bob.show(shared.id)["held_back"] is True
    (digest,) = _advance(local, MINUTE)
    assert (digest["user"], digest["approval"]) == (bob.user.id, shared.id)


def _digest_holds(local, person):
    with local.services.store.read() as view:
        holds = view.attention.holds(person.user.id, view.now)
    return [hold for hold in holds if hold.why == "held_back"]


def test_a_snooze_keeps_the_digest_of_the_other_requests(local, person, writer):
    """The digest is stored with one of the requests, which the person may snooze."""
    _write(writer, 5)
    (digest,) = _digest_holds(local, person)
    path = f"/api/approvals/{digest.approval_id}/snooze"
    assert person.call("POST", path, {"minutes": 10}).status == 200
    (sent,) = _advance(local, MINUTE)
    assert sent["waiting"] == 4
    assert sent["approval"] != digest.approval_id


def test_a_snooze_of_the_only_request_replaces_its_digest(local, person, writer):
    """The reminder after the snooze is the notification that the digest would have been."""
    first, second = _write(writer, 2)
    person.deny(first.id)
    (digest,) = _digest_holds(local, person)
    assert digest.approval_id == second.id
    path = f"/api/approvals/{second.id}/snooze"
    assert person.call("POST", path, {"minutes": 10}).status == 200
    assert _digest_holds(local, person) == []


def test_the_digest_is_not_a_snooze_that_can_be_ended(local, person, writer):
    """The request of the digest is not snoozed, so there is nothing to end."""
    _write(writer, 5)
    (digest,) = _digest_holds(local, person)
    path = f"/api/approvals/{digest.approval_id}/snooze"
    assert person.call("DELETE", path).refusal == (404, "not_found")
    assert len(_advance(local, MINUTE)) == 1
