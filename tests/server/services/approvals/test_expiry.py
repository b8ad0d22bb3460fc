"""Expiry, withdrawal and cleanup of requests."""

import pytest

from server.protocol.approvals.states import State
from server.services.approvals.expiry import FEED_KEPT_MS, OUTBOX_KEPT_MS, expire
from server.services.approvals.withdrawals import withdraw
from server.services.audit import audit
from server.services.notifications import notices
from tests.support.builders.clock import DAY, MINUTE, SECOND


@pytest.fixture
def sweeper(local):
    """The sweeper of this installation."""
    return local.services.sweeper


def test_a_sweep_expires_exactly_the_overdue_requests(agent, person, local, sweeper):
    """Each expired request gets one audit entry, one event and a reason."""
    _, unseen = agent.request_approval(requested_expiry="60")
    _, seen = agent.request_approval(requested_expiry="60")
    _, waiting = agent.request_approval(requested_expiry="61")
    person.show(seen.id)
    person.call("GET", "/api/approvals")
    local.clock.forward(MINUTE - 1)
    assert sweeper.round() == 0
    local.clock.forward(1)
    assert sweeper.round() == 2
    assert sweeper.round() == 0
    states = [local.admin.state(approval) for approval in (unseen, seen, waiting)]
    assert states == [
        (State.EXPIRED, "expired_unseen"),
        (State.EXPIRED, "expired_seen"),
        (State.PENDING, None),
    ]
    entries = local.admin.entries("approval.expired")
    assert {entry["approval_id"]: entry["cause"] for entry in entries} == {
        unseen.id: "expired_unseen",
        seen.id: "expired_seen",
    }
    assert {entry["actor"] for entry in entries} == {"system"}
    assert local.admin.events(person.user).count("approval.expired") == 2


def test_the_sweeper_expires_an_unredeemed_approval_after_thirty_seconds(
    agent, person, local, sweeper
):
    """The reason is not_redeemed."""
    _, approval = agent.request_approval(requested_expiry="60")
    person.approve(approval.id)
    local.clock.forward(MINUTE + 30 * SECOND - 1)
    assert sweeper.round() == 0
    local.clock.forward(1)
    assert sweeper.round() == 1
    assert local.admin.state(approval) == (State.EXPIRED, "not_redeemed")
    (entry,) = local.admin.entries("approval.expired")
    assert entry["subject"] == person.user.id


def test_a_request_is_expired_once(agent, local):
    """A second call of expire() changes nothing."""
    _, approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(MINUTE)
    with local.services.store.write() as tx:
        assert expire(tx, approval) is not None
        assert expire(tx, approval) is None
    assert len(local.admin.entries("approval.expired")) == 1


def test_a_request_is_not_expired_before_its_time(agent, local):
    """Calling expire() too early changes nothing."""
    _, approval = agent.request_approval(requested_expiry="60")
    with local.services.store.write() as tx:
        assert expire(tx, approval) is None
    assert local.admin.state(approval) == (State.PENDING, None)


def test_withdrawing_ends_open_requests_and_counts_them(agent, person, local):
    """The row, the audit entry and the event have the reason."""
    _, pending = agent.request_approval()
    _, denied = agent.request_approval()
    person.deny(denied.id)
    with local.services.store.write() as tx:
        open_ones = [pending, denied]
        assert withdraw(tx, open_ones, reason="agent_disabled", actor=audit.OPERATOR) == 1
        assert withdraw(tx, open_ones, reason="agent_disabled", actor=audit.OPERATOR) == 0
    assert local.admin.state(pending) == (State.CANCELLED, "agent_disabled")
    assert local.admin.state(denied)[0] is State.DENIED
    (entry,) = local.admin.entries("approval.cancelled")
    assert (entry["actor"], entry["cause"], entry["approval_id"]) == (
        "operator",
        "agent_disabled",
        pending.id,
    )
    assert local.admin.events(person.user)[-1] == "approval.cancelled"


def test_cleanup_deletes_old_responses_events_and_counters(agent, person, local, sweeper):
    """Stored responses are deleted after a minute; proofs, counters and events after their time."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    agent.poll(handle, idempotency_key="k")
    agent.ask(login_hint="nobody")
    local.clock.forward(MINUTE)
    sweeper.tidy()
    assert local.stored_approval(approval.id).answer is None
    local.clock.forward(max(FEED_KEPT_MS, OUTBOX_KEPT_MS) + DAY)
    sweeper.tidy()
    with local.services.store.write() as tx:
        assert len(tx.feed.events_after(0, None, 100)) == 1
        assert (tx.replays.prune(tx.now), tx.counters.prune(tx.now)) == (0, 0)


def test_a_stored_response_is_kept_for_its_minute(agent, person, local, sweeper):
    """A cleanup within the minute does not delete a stored response."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    first = agent.poll(handle, idempotency_key="k")
    local.clock.forward(MINUTE - 1)
    sweeper.tidy()
    assert agent.poll(handle, idempotency_key="k").json == first.json


def test_webhook_messages_contain_ids_and_no_contents(agent, person, local):
    """A webhook message has IDs, the risk and the event name, but no texts."""
    _, approval = agent.request_approval(binding_message="INV-2291 is due")
    person.deny(approval.id, note="Secret note")
    messages = local.messages()
    assert [message["event"] for message in messages[-2:]] == [
        "approval.requested",
        "approval.decided",
    ]
    assert set(messages[-1]) == {"event", "at", "approval", "agent", "risk", "kind"}
    assert "INV-2291" not in str(messages)
    assert "Secret note" not in str(messages)


def test_an_alarm_without_a_user_goes_to_the_operator_only(local, person):
    """An alarm that concerns no user appears in no feed."""
    before = local.admin.events(person.user)
    with local.services.store.write() as tx:
        notices.alarm(tx, "alarm.test", agent="sayso_ag_a")
        notices.alarm(tx, "alarm.person", user_id=person.user.id)
    assert local.messages()[-2:] == [
        {"event": "alarm.test", "at": local.clock.now(), "agent": "sayso_ag_a"},
        {"event": "alarm.person", "at": local.clock.now(), "user": person.user.id},
    ]
    assert local.admin.events(person.user) == [*before, "alarm.person"]
