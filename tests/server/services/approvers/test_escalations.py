"""Reminders and extensions of pending requests: time alone never approves or denies."""

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
def escalations(local):
    """The escalation service of this installation."""
    return local.services.escalations


def _advance(local, person, milliseconds):
    local.clock.forward(milliseconds)
    person.refresh()
    return local.services.escalations.round()


def _webhook_messages(local, name):
    return [body for body in local.messages() if body["event"] == name]


def test_a_reminder_is_sent_once_halfway_to_the_expiry(agent, person, local, escalations):
    """The feed, the webhook and the audit log contain the reminder."""
    _, approval = agent.request_approval()
    half = (approval.expires_at - approval.created_at) // 2
    assert escalations.round() == 0
    assert _advance(local, person, half - 1) == 0
    assert _advance(local, person, 1) == 1
    assert escalations.round() == 0
    assert local.admin.events(person.user).count("approval.reminder") == 1
    assert [hook["approval"] for hook in _webhook_messages(local, "approval.reminder")] == [
        approval.id
    ]
    (entry,) = local.admin.entries("approval.escalated")
    assert (entry["approval_id"], entry["decision"]) == (approval.id, "reminded")
    assert (entry["actor"], entry["subject"]) == ("system", person.user.id)


def test_concurrent_workers_remind_once(agent, person, local, escalations):
    """Of eight workers that run at the same time, one sends the reminder."""
    _, approval = agent.request_approval()
    local.clock.forward((approval.expires_at - approval.created_at) // 2)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: escalations.round(), range(8)))
    assert sum(counts) == 1
    assert local.admin.events(person.user).count("approval.reminder") == 1


def test_a_step_already_taken_is_not_taken_again(agent, local):
    """On PostgreSQL, two workers may both see that a step is due."""
    _, approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(30 * SECOND)
    with local.services.store.write() as tx:
        assert take_step(tx, approval, local.services.escalations.substitutes)
        assert not take_step(tx, approval, local.services.escalations.substitutes)


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_decided_request_is_not_reminded(agent, person, local, answer):
    """An approved or denied request gets no reminder."""
    _, approval = agent.request_approval(requested_expiry="60")
    getattr(person, answer)(approval.id)
    assert _advance(local, person, 45 * SECOND) == 0
    assert local.admin.entries("approval.escalated") == []


def test_an_undecided_request_is_never_approved(agent, person, local, escalations):
    """The request expires, no matter how often the escalations run."""
    handle, approval = agent.request_approval(requested_expiry="60")
    for _ in range(70):
        local.clock.forward(SECOND)
        escalations.round()
        local.services.sweeper.round()
    assert local.stored_approval(approval.id).state == "expired"
    assert local.admin.entries("approval.approved") == []
    answer = agent.poll(handle)
    assert answer.refusal == (400, "expired_token")
    assert answer.json["reason"] == "undeliverable"
    person.refresh()
    assert person.send_decision(approval.id, "x").status in {409, 422}


def test_a_snoozed_request_is_reminded_when_the_snooze_ends(agent, person, local):
    """The reminder halfway to its expiry is silent and says that the request is snoozed."""
    _, approval = agent.request_approval(requested_expiry="600")
    person.call("POST", f"/api/approvals/{approval.id}/snooze", {"minutes": 8})
    assert _advance(local, person, 5 * MINUTE) == 1
    with local.services.store.read() as view:
        (event,) = [
            event
            for event in view.feed.events_after(0, person.user.id, 100)
            if event.event == "approval.reminder"
        ]
    assert event.not_notified_because == "snoozed"
    _advance(local, person, 3 * MINUTE)
    assert local.admin.events(person.user).count("approval.reminder") == 2


def test_a_request_to_an_unknown_user_is_not_reminded(open_local, template):
    """With hidden users, a phantom request has nobody to remind."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    assert agent.ask(login_hint="nobody", requested_expiry="60").status == 200
    local.clock.forward(40 * SECOND)
    assert local.services.escalations.round() == 0


def _extend(person, approval):
    return person.call("POST", f"/api/approvals/{approval.id}/extension")


def test_an_extension_restores_the_full_lifetime_from_now(agent, person, local):
    """The next poll returns the new expiry, and the reminder moves to half of it."""
    handle, approval = agent.request_approval(requested_expiry="600")
    assert _advance(local, person, 6 * MINUTE) == 1
    answer = _extend(person, approval)
    assert answer.status == 200
    until = local.clock.now() + 10 * MINUTE
    assert local.stored_approval(approval.id).expires_at == until
    polled = agent.poll(handle)
    assert polled.refusal == (400, "authorization_pending")
    assert polled.json["expires_at"] == answer.json["expires_at"] == "2025-10-09T09:09:20.000Z"
    assert _advance(local, person, 5 * MINUTE) == 1
    local.services.sweeper.round()
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    (entry,) = local.admin.entries("approval.extended")
    assert entry["actor"] == f"user:{person.user.id}"
    assert entry["facts"] == {
        "device": person.device_id,
        "expired_at": approval.expires_at,
        "expires_at": until,
        "extensions": 1,
    }
    assert local.admin.events(person.user).count("approval.extended") == 1


def test_an_extended_request_does_not_expire_at_the_old_time(agent, person, local):
    """The sweeper leaves the request pending, and so do polls."""
    handle, approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(30 * SECOND)
    _extend(person, approval)
    local.clock.forward(40 * SECOND)
    assert local.services.sweeper.round() == 0
    assert agent.poll(handle).refusal == (400, "authorization_pending")


@pytest.mark.parametrize("risk", ["low", "high"])
def test_the_number_of_extensions_depends_on_the_risk(agent, person, local, risk):
    """Low-risk requests have no limit; high-risk requests do."""
    ask = {"low": agent.request_approval, "high": agent.request_payment}[risk]
    _, approval = ask(requested_expiry="60")
    limit = MAX_EXTENSIONS[Risk(risk)]
    for count in range(1, (limit or 5) + 1):
        local.clock.forward(30 * SECOND)
        answer = _extend(person, approval)
        assert answer.status == 200
        assert answer.json["extensions_left"] == (None if limit is None else limit - count)
    local.clock.forward(30 * SECOND)
    answer = _extend(person, approval)
    assert answer.status == 200 if limit is None else answer.refusal == (409, "not_extendable")


def test_only_pending_requests_of_the_person_can_be_extended(agent, person, local):
    """Other people's requests are not found, and decided ones stay decided."""
    other = new_person(local, "bob")
    _, approval = agent.request_approval(requested_expiry="60")
    assert _extend(other, approval).refusal == (404, "not_found")
    assert _extend(person, approval).refusal == (
        409,
        "not_extendable",
    )  # the expiry would not be later
    local.clock.forward(MINUTE)
    assert _extend(person, approval).refusal == (409, "not_pending")
    _, denied = agent.request_approval(requested_expiry="60")
    person.deny(denied.id)
    assert _extend(person, denied).refusal == (409, "not_pending")


def test_an_extension_lost_to_a_concurrent_change_is_refused(agent, person, local, monkeypatch):
    """On PostgreSQL, another worker may act between the check and the update."""
    _, approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(SECOND)
    steps = "server.storage.approvers.escalations.Escalations.extend"
    monkeypatch.setattr(steps, lambda *_, **__: False)
    assert _extend(person, approval).refusal == (409, "not_pending")
    assert local.admin.entries("approval.extended") == []


def test_only_an_owner_extends_critical_requests(agent, person, local):
    """Other approvers cannot extend a critical request."""
    critical = {"risk": Risk.CRITICAL, "life_ms": 10 * MINUTE}
    approval = local.admin.approval(agent.id, person.user.id, **critical)
    local.clock.forward(SECOND)
    assert _extend(person, approval).refusal == (403, "forbidden")
    local.admin.agents.update(agent.id, AgentChanges(add_owners=(person.user.name,)), by="operator")
    assert _extend(person, approval).json["extensions_left"] == 1


def test_a_request_that_the_person_started_cannot_be_extended(agent, person, local):
    """The person can simply start the consent again."""
    approval = local.admin.approval(agent.id, person.user.id, kind="consent")
    answer = _extend(person, approval)
    assert answer.refusal == (409, "not_extendable")
    assert person.show(approval.id)["extensions_left"] == 0


def test_an_extension_ends_no_later_than_the_parent_token(agent, person, local):
    """A decision after the parent token's expiry would be useless."""
    parent = local.admin.token(agent.id, person.user.id, "parent")
    lifetime = parent.expires_at - local.clock.now()
    members = {
        "parent_id": parent.id,
        "life_ms": lifetime,
        "expires_at": parent.expires_at - SECOND,
    }
    approval = local.admin.approval(agent.id, person.user.id, **members)
    local.clock.forward(SECOND)
    assert _extend(person, approval).status == 200
    assert local.stored_approval(approval.id).expires_at == parent.expires_at
    assert _extend(person, approval).refusal == (409, "not_extendable")


def test_an_added_approver_may_extend_the_request(agent, local):
    """An extension also keeps the request on the list of an added approver."""
    bob = new_person(local, "bob")
    _, approval = agent.request_approval(requested_expiry="60")
    with local.services.store.write() as tx:
        approvers.add(tx, approval, [NamedApprover(bob.user.id, "backup")], local.server_policy)
    local.clock.forward(30 * SECOND)
    assert _extend(bob, approval).status == 200
    local.clock.forward(50 * SECOND)
    (listed,) = bob.call("GET", "/api/approvals").json["items"]
    assert listed["id"] == approval.id
