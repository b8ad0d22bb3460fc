"""Asking an agent to ask again: by whom, when, once; and what its next poll is told."""

import pytest

from server.model.approvers import NamedApprover
from server.protocol.approvals.states import State
from server.services.approvals.oversight import Oversight
from server.services.approvers import approvers
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY


def _retry(person, approval):
    return person.call("POST", f"/api/approvals/{approval.id}/retry")


def _lapsed(agent, local, **parameters):
    handle, approval = agent.asked(requested_expiry="60", **parameters)
    local.clock.forward(MINUTE)
    return handle, approval


def test_an_agent_is_told_that_its_person_wants_to_be_asked_again(agent, person, local):
    """At its next poll and at every later one, in a member and in a sentence for a model."""
    handle, approval = _lapsed(agent, local)
    before = agent.poll(handle)
    asked = _retry(person, approval)
    assert (asked.status, asked.json["state"], asked.json["retry"]) == (200, "expired", "asked")
    for _ in range(2):
        local.clock.forward(DAY)
        after = agent.poll(handle)
        assert after.refusal == (400, "expired_token")
        assert after.json == {
            "error": "expired_token",
            "error_description": "It expired without an answer, which is not a denial. The person "
            "wants to be asked again: send the request anew.",
            "reason": before.json["reason"],
            "retry": "wanted",
        }
    assert "retry" not in before.json


def test_it_is_written_down_and_shown_on_every_screen(agent, person, local):
    """Who, on which device, of what; and it still ended as it ended."""
    _, approval = _lapsed(agent, local)
    _retry(person, approval)
    (entry,) = local.desk.entries("approval.retry_asked")
    assert entry["actor"] == f"user:{person.user.id}"
    assert (entry["agent_id"], entry["approval_id"]) == (agent.id, approval.id)
    assert entry["facts"] == {"device": person.device_id, "expired_at": approval.expires_at}
    assert local.desk.events(person.user)[-2:] == ["approval.expired", "approval.retry_asked"]
    stored = local.stored(approval.id)
    assert (stored.state, stored.reason) == (State.EXPIRED, "undeliverable")
    assert stored.retry_asked_at == local.clock.now()


def test_a_second_time_is_the_same_answer(agent, person, local):
    """Whoever of those whom it asked comes first, it is said once."""
    bob = new_person(local, "bob")
    _, approval = agent.asked(requested_expiry="60")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(bob.user.id, "backup")], local.services.rules)
    local.clock.forward(MINUTE)
    first = _retry(bob, approval)
    local.clock.forward(MINUTE)
    second = _retry(person, approval)
    assert (first.status, second.status) == (200, 200)
    assert first.json == second.json
    assert len(local.desk.entries("approval.retry_asked")) == 1
    assert local.desk.events(person.user).count("approval.retry_asked") == 1


def test_what_somebody_else_was_asked_is_not_there(agent, local):
    """As if it did not exist."""
    _, approval = _lapsed(agent, local)
    assert _retry(new_person(local, "bob"), approval).refusal == (404, "not_found")
    assert local.stored(approval.id).retry_asked_at is None


@pytest.mark.parametrize("end", ["waits", "approve", "deny", "cancelled"])
def test_only_what_expired_is_asked_for_once_more(agent, person, local, end):
    """What waits is answered, and what was answered has its answer."""
    _, approval = agent.asked(requested_expiry="60")
    if end == "cancelled":
        Oversight(local.services.store).cancel(approval.id, "Not this month", by=BY)
    elif end != "waits":
        getattr(person, end)(approval.id)
    assert _retry(person, approval).refusal == (409, "not_expired")
    assert person.show(approval.id)["retry"] is None
    assert local.desk.entries("approval.retry_asked") == []


def test_what_was_approved_in_vain_is_not_asked_for_once_more(agent, person, local):
    """Its person did answer; the agent did not come."""
    handle, approval = agent.asked(requested_expiry="60")
    person.approve(approval.id)
    local.clock.forward(2 * MINUTE)
    assert _retry(person, approval).refusal == (409, "not_retryable")
    assert person.show(approval.id)["retry"] is None
    assert "retry" not in agent.poll(handle).json


@pytest.mark.parametrize("members", [{"kind": "consent"}, {"delivery": "push"}])
def test_who_cannot_be_told_is_not_asked(agent, person, local, members):
    """What was begun at a page is begun there anew; a pushed answer has reached its agent."""
    until = local.clock.now() + MINUTE
    approval = local.desk.approval(agent.id, person.user.id, expires_at=until, **members)
    local.clock.forward(MINUTE)
    assert _retry(person, approval).refusal == (409, "not_retryable")
    assert person.show(approval.id)["retry"] is None


@pytest.mark.parametrize("stop", ["disable", "delete", "its time"])
def test_a_stopped_agent_is_asked_nothing(agent, person, local, stop):
    """It would ask nobody."""
    _, approval = _lapsed(agent, local)
    if stop == "its time":
        changes = AgentChanges(expires_at=local.clock.now() + MINUTE)
        local.desk.agents.update(agent.id, changes, by=BY)
        local.clock.forward(MINUTE)
    else:
        getattr(local.desk.agents, stop)(agent.id, by=BY)
    assert _retry(person, approval).refusal == (409, "agent_stopped")
    assert local.stored(approval.id).retry_asked_at is None


def test_an_end_that_nobody_has_noticed_yet_is_noticed(agent, person, local):
    """The clock decides, not the round that looks for what is overdue."""
    _, approval = _lapsed(agent, local)
    assert local.stored(approval.id).state is State.PENDING
    assert person.show(approval.id)["retry"] == "possible"
    assert _retry(person, approval).json["retry"] == "asked"


def test_nothing_of_it_stays_where_one_part_fails(agent, person, local, monkeypatch):
    """The word, its entry and its event are one unit of work."""
    handle, approval = _lapsed(agent, local)
    local.services.sweeper.round()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no event")

    with monkeypatch.context() as broken:
        broken.setattr("server.services.notifications.notices.approval", fail)
        assert _retry(person, approval).status == 500
    assert local.desk.entries("approval.retry_asked") == []
    assert "retry" not in agent.poll(handle).json
    assert _retry(person, approval).status == 200
