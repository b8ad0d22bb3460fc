"""What the clock does about a request that waits: it says it again, once, and decides nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from server.model.approvers import NamedApprover
from server.protocol.policy.risks import Risk
from server.services.approvals.extensions import MAX_EXTENSIONS
from server.services.approvers import approvers
from server.services.approvers.escalations import take_step
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE, SECOND


@pytest.fixture
def clock(local):
    """What the clock does in this installation."""
    return local.services.escalations


def _later(local, person, milliseconds):
    local.clock.forward(milliseconds)
    person.refresh()
    return local.services.escalations.round()


def _hooks(local, name):
    return [body for body in local.messages() if body["event"] == name]


def test_a_request_is_said_again_at_half_of_its_time(agent, person, local, clock):
    """Once: on the screens, to the hook, and in the record."""
    _, approval = agent.asked()
    half = (approval.expires_at - approval.created_at) // 2
    assert clock.round() == 0
    assert _later(local, person, half - 1) == 0
    assert _later(local, person, 1) == 1
    assert clock.round() == 0
    assert local.desk.events(person.user).count("approval.reminder") == 1
    assert [hook["approval"] for hook in _hooks(local, "approval.reminder")] == [approval.id]
    (entry,) = local.desk.entries("approval.escalated")
    assert (entry["approval_id"], entry["decision"]) == (approval.id, "reminded")
    assert (entry["actor"], entry["subject"]) == ("system", person.user.id)


def test_two_workers_never_remind_twice(agent, person, local, clock):
    """Eight look at once."""
    _, approval = agent.asked()
    local.clock.forward((approval.expires_at - approval.created_at) // 2)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: clock.round(), range(8)))
    assert sum(said) == 1
    assert local.desk.events(person.user).count("approval.reminder") == 1


def test_a_step_that_somebody_else_took_is_not_taken_again(agent, local):
    """On PostgreSQL two may have seen that it is due."""
    _, approval = agent.asked(requested_expiry="60")
    local.clock.forward(30 * SECOND)
    with local.services.store.write() as tx:
        assert take_step(tx, approval, local.services.escalations.substitutes)
        assert not take_step(tx, approval, local.services.escalations.substitutes)


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_an_answered_request_is_not_said_again(agent, person, local, answer):
    """Nothing is left to do."""
    _, approval = agent.asked(requested_expiry="60")
    getattr(person, answer)(approval.id)
    assert _later(local, person, 45 * SECOND) == 0
    assert local.desk.entries("approval.escalated") == []


def test_nothing_is_approved_by_waiting(agent, person, local, clock):
    """However often the clock looks, and whatever it did: what ends unanswered has expired."""
    handle, approval = agent.asked(requested_expiry="60")
    for _ in range(70):
        local.clock.forward(SECOND)
        clock.round()
        local.services.sweeper.round()
    assert local.stored(approval.id).state == "expired"
    assert local.desk.entries("approval.approved") == []
    answer = agent.poll(handle)
    assert answer.refusal == (400, "expired_token")
    assert answer.json["reason"] == "undeliverable"
    person.refresh()
    assert person.send_decision(approval.id, "x").status in {409, 422}


def test_a_snoozed_request_is_not_said_again_before_its_time(agent, person, local):
    """The half of its time passes in silence, on the screen and with its reason."""
    _, approval = agent.asked(requested_expiry="600")
    person.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 8})
    assert _later(local, person, 5 * MINUTE) == 1
    with local.services.store.read() as view:
        (event,) = [
            one
            for one in view.feed.after(0, person.user.id, 100)
            if one.event == "approval.reminder"
        ]
    assert event.held == "snoozed"
    _later(local, person, 3 * MINUTE)
    assert local.desk.events(person.user).count("approval.reminder") == 2


def test_a_request_that_names_nobody_is_said_to_nobody(open_local, template):
    """A phantom has no screens."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    assert agent.ask(login_hint="nobody", requested_expiry="60").status == 200
    local.clock.forward(40 * SECOND)
    assert local.services.escalations.round() == 0


def _extend(person, approval):
    return person.call("POST", f"/api/approvals/{approval.id}/extension")


def test_a_request_waits_as_long_again_from_now(agent, person, local):
    """The agent is told when it ends at its next poll, and it is said again at half of that."""
    handle, approval = agent.asked(requested_expiry="600")
    assert _later(local, person, 6 * MINUTE) == 1
    answer = _extend(person, approval)
    assert answer.status == 200
    until = local.clock.now() + 10 * MINUTE
    assert local.stored(approval.id).expires_at == until
    polled = agent.poll(handle)
    assert polled.refusal == (400, "authorization_pending")
    assert polled.json["expires_at"] == answer.json["expires_at"] == "2025-10-09T09:09:20.000Z"
    assert _later(local, person, 5 * MINUTE) == 1
    local.services.sweeper.round()
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    (entry,) = local.desk.entries("approval.extended")
    assert entry["actor"] == f"user:{person.user.id}"
    assert entry["facts"] == {
        "device": person.device_id,
        "expired_at": approval.expires_at,
        "expires_at": until,
        "extensions": 1,
    }
    assert local.desk.events(person.user).count("approval.extended") == 1


def test_one_that_ends_later_is_told_to_nobody_as_ended(agent, person, local):
    """The old end passes without effect."""
    handle, approval = agent.asked(requested_expiry="60")
    local.clock.forward(30 * SECOND)
    _extend(person, approval)
    local.clock.forward(40 * SECOND)
    assert local.services.sweeper.round() == 0
    assert agent.poll(handle).refusal == (400, "authorization_pending")


@pytest.mark.parametrize("risk", ["low", "high"])
def test_how_often_a_request_is_extended_is_a_matter_of_its_risk(agent, person, local, risk):
    """Low risk as often as one likes."""
    asked = {"low": agent.asked, "high": agent.asked_payment}[risk]
    _, approval = asked(requested_expiry="60")
    most = MAX_EXTENSIONS[Risk(risk)]
    for count in range(1, (most or 5) + 1):
        local.clock.forward(30 * SECOND)
        answer = _extend(person, approval)
        assert answer.status == 200
        assert answer.json["extensions_left"] == (None if most is None else most - count)
    local.clock.forward(30 * SECOND)
    answer = _extend(person, approval)
    assert answer.status == 200 if most is None else answer.refusal == (409, "not_extendable")


def test_only_what_waits_for_this_person_is_extended(agent, person, local):
    """Somebody else's is not there, and what is over stays over."""
    other = new_person(local, "bob")
    _, approval = agent.asked(requested_expiry="60")
    assert _extend(other, approval).refusal == (404, "not_found")
    assert _extend(person, approval).refusal == (409, "not_extendable")  # it ends no later
    local.clock.forward(MINUTE)
    assert _extend(person, approval).refusal == (409, "not_pending")
    _, denied = agent.asked(requested_expiry="60")
    person.deny(denied.id)
    assert _extend(person, denied).refusal == (409, "not_pending")


def test_an_end_that_has_just_changed_is_not_changed_again(agent, person, local, monkeypatch):
    """On PostgreSQL somebody may come between the look and the step."""
    _, approval = agent.asked(requested_expiry="60")
    local.clock.forward(SECOND)
    steps = "server.storage.approvers.escalations.Escalations.extend"
    monkeypatch.setattr(steps, lambda *_, **__: False)
    assert _extend(person, approval).refusal == (409, "not_pending")
    assert local.desk.entries("approval.extended") == []


def test_only_an_owner_extends_what_is_critical(agent, person, local):
    """Whoever answers for the agent says that there is time."""
    critical = {"risk": Risk.CRITICAL, "life_ms": 10 * MINUTE}
    approval = local.desk.approval(agent.id, person.user.id, **critical)
    local.clock.forward(SECOND)
    assert _extend(person, approval).refusal == (403, "forbidden")
    local.desk.agents.update(agent.id, AgentChanges(add_owners=(person.user.name,)), by="operator")
    assert _extend(person, approval).json["extensions_left"] == 1


def test_what_a_person_began_themselves_is_not_extended(agent, person, local):
    """They begin anew."""
    approval = local.desk.approval(agent.id, person.user.id, kind="consent")
    answer = _extend(person, approval)
    assert answer.refusal == (409, "not_extendable")
    assert person.show(approval.id)["extensions_left"] == 0


def test_no_request_outlives_the_token_that_it_came_from(agent, person, local):
    """Decided later it would be decided in vain."""
    parent = local.desk.token(agent.id, person.user.id, "parent")
    left = parent.expires_at - local.clock.now()
    members = {"parent_id": parent.id, "life_ms": left, "expires_at": parent.expires_at - SECOND}
    approval = local.desk.approval(agent.id, person.user.id, **members)
    local.clock.forward(SECOND)
    assert _extend(person, approval).status == 200
    assert local.stored(approval.id).expires_at == parent.expires_at
    assert _extend(person, approval).refusal == (409, "not_extendable")


def test_whoever_else_is_asked_has_as_long(agent, local):
    """And may extend it too."""
    bob = new_person(local, "bob")
    _, approval = agent.asked(requested_expiry="60")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(bob.user.id, "backup")], local.services.rules)
    local.clock.forward(30 * SECOND)
    assert _extend(bob, approval).status == 200
    local.clock.forward(50 * SECOND)
    (listed,) = bob.call("GET", "/api/approvals").json["items"]
    assert listed["id"] == approval.id
