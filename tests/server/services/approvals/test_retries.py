"""Asking an agent to retry an expired request."""

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


def _expired_request(agent, local, **parameters):
    handle, approval = agent.request_approval(requested_expiry="60", **parameters)
    local.clock.forward(MINUTE)
    return handle, approval


def test_a_poll_says_that_the_person_wants_a_retry(agent, person, local):
    """Every later poll contains the member `retry` and a sentence about it."""
    handle, approval = _expired_request(agent, local)
    before = agent.poll(handle)
    answer = _retry(person, approval)
    assert (answer.status, answer.json["state"], answer.json["retry"]) == (200, "expired", "asked")
    for _ in range(2):
        local.clock.forward(DAY)
        after = agent.poll(handle)
        assert after.refusal == (400, "expired_token")
        assert after.json == {
            "error": "expired_token",
            "error_description": "It expired without an answer, which is not a denial. The person "
            "wants to be asked again: send the request again.",
            "reason": before.json["reason"],
            "retry": "wanted",
        }
    assert "retry" not in before.json


def test_a_retry_request_is_an_entry_and_an_event(agent, person, local):
    """The request stays expired; only an audit entry and an event are added."""
    _, approval = _expired_request(agent, local)
    _retry(person, approval)
    (entry,) = local.admin.entries("approval.retry_asked")
    assert entry["actor"] == f"user:{person.user.id}"
    assert (entry["agent_id"], entry["approval_id"]) == (agent.id, approval.id)
    assert entry["facts"] == {"device": person.device_id, "expired_at": approval.expires_at}
    assert local.admin.events(person.user)[-2:] == ["approval.expired", "approval.retry_asked"]
    stored = local.stored_approval(approval.id)
    assert (stored.state, stored.reason) == (State.EXPIRED, "undeliverable")
    assert stored.retry_asked_at == local.clock.now()


def test_a_second_retry_request_returns_the_same_response(agent, person, local):
    """A second call by another approver adds no audit entry and no event."""
    bob = new_person(local, "bob")
    _, approval = agent.request_approval(requested_expiry="60")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(bob.user.id, "backup")], local.server_policy)
    local.clock.forward(MINUTE)
    first = _retry(bob, approval)
    local.clock.forward(MINUTE)
    second = _retry(person, approval)
    assert (first.status, second.status) == (200, 200)
    assert first.json == second.json
    assert len(local.admin.entries("approval.retry_asked")) == 1
    assert local.admin.events(person.user).count("approval.retry_asked") == 1


def test_a_retry_of_another_persons_request_is_not_found(agent, local):
    """The call is refused and stores nothing."""
    _, approval = _expired_request(agent, local)
    assert _retry(new_person(local, "bob"), approval).refusal == (404, "not_found")
    assert local.stored_approval(approval.id).retry_asked_at is None


@pytest.mark.parametrize("end", ["waits", "approve", "deny", "cancelled"])
def test_only_an_expired_request_can_be_retried(agent, person, local, end):
    """A pending, decided or canceled request cannot be retried."""
    _, approval = agent.request_approval(requested_expiry="60")
    if end == "cancelled":
        Oversight(local.services.store).cancel(approval.id, "Not this month", by=BY)
    elif end != "waits":
        getattr(person, end)(approval.id)
    assert _retry(person, approval).refusal == (409, "not_expired")
    assert person.show(approval.id)["retry"] is None
    assert local.admin.entries("approval.retry_asked") == []


def test_an_approved_request_that_expired_cannot_be_retried(agent, person, local):
    """The person already decided, so there is nothing to retry."""
    handle, approval = agent.request_approval(requested_expiry="60")
    person.approve(approval.id)
    local.clock.forward(2 * MINUTE)
    assert _retry(person, approval).refusal == (409, "not_retryable")
    assert person.show(approval.id)["retry"] is None
    assert "retry" not in agent.poll(handle).json


@pytest.mark.parametrize("members", [{"kind": "consent"}, {"delivery": "push"}])
def test_a_retry_that_cannot_reach_the_agent_is_refused(agent, person, local, members):
    """A consent starts at its page, and an agent with push delivery does not poll."""
    until = local.clock.now() + MINUTE
    approval = local.admin.approval(agent.id, person.user.id, expires_at=until, **members)
    local.clock.forward(MINUTE)
    assert _retry(person, approval).refusal == (409, "not_retryable")
    assert person.show(approval.id)["retry"] is None


@pytest.mark.parametrize("end", ["disable", "delete", "its time"])
def test_a_disabled_deleted_or_expired_agent_cannot_be_asked_to_retry(agent, person, local, end):
    """Such an agent could not send a new request."""
    _, approval = _expired_request(agent, local)
    if end == "its time":
        changes = AgentChanges(expires_at=local.clock.now() + MINUTE)
        local.admin.agents.update(agent.id, changes, by=BY)
        local.clock.forward(MINUTE)
    else:
        getattr(local.admin.agents, end)(agent.id, by=BY)
    assert _retry(person, approval).refusal == (409, "agent_disabled")
    assert local.stored_approval(approval.id).retry_asked_at is None


def test_an_overdue_request_can_be_retried_before_the_sweep(agent, person, local):
    """A request is expired as soon as its time is over, before the sweeper runs."""
    _, approval = _expired_request(agent, local)
    assert local.stored_approval(approval.id).state is State.PENDING
    assert person.show(approval.id)["retry"] == "possible"
    assert _retry(person, approval).json["retry"] == "asked"


def test_a_failed_retry_request_stores_nothing(agent, person, local, monkeypatch):
    """Entry, event and row are stored in one unit of work."""
    handle, approval = _expired_request(agent, local)
    local.services.sweeper.round()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no event")

    with monkeypatch.context() as broken:
        broken.setattr("server.services.notifications.notices.approval", fail)
        assert _retry(person, approval).status == 500
    assert local.admin.entries("approval.retry_asked") == []
    assert "retry" not in agent.poll(handle).json
    assert _retry(person, approval).status == 200
