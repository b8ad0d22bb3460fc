"""Decisions: listing and showing requests, and which signed decisions count."""

import json
from dataclasses import replace

import pytest

from approver_tui.client.jose import SigningKey, signed_statement
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.resources.resources import ResourceChanges
from server.storage.approvals.approvals import Approvals
from tests.support.builders.callers import X, another_device, new_person, sign_in
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.builders.installation import BY, PAY, register_agent


def _ids(answer):
    return [item["id"] for item in answer.json["items"]]


def _decision_entries(local):
    kinds = ("approval.approved", "approval.denied")
    return [entry for kind in kinds for entry in local.admin.entries(kind)]


def test_pending_requests_are_listed_by_risk_and_then_expiry(agent, person):
    """The list has pages, and each response contains the feed cursor."""
    late, soon, middle = (
        agent.request_approval(requested_expiry=s)[1].id for s in ("900", "60", "300")
    )
    high = agent.request_payment(requested_expiry="1200")[1].id
    first = person.call("GET", "/api/approvals", query={"limit": "2"})
    assert _ids(first) == [high, soon]
    query = {"limit": "2", "cursor": first.json["next"]}
    second = person.call("GET", "/api/approvals", query=query)
    assert _ids(second) == [middle, late]
    query = {"limit": "2", "cursor": second.json["next"]}
    second = person.call("GET", "/api/approvals", query=query)
    assert _ids(second) == []
    assert second.json["next"] is None
    assert first.json["feed_cursor"] > 0


def test_decided_requests_are_listed_newest_first(agent, person, local):
    """The list shows the person, the device and the ceremony of each decision."""
    denied, approved = agent.request_approval()[1].id, agent.request_approval()[1].id
    person.deny(denied, "too_broad", note="Read only, please")
    local.clock.forward(SECOND)
    person.approve(approved)
    query = {"state": "decided", "limit": "1"}
    first = person.call("GET", "/api/approvals", query=query)
    assert _ids(first) == [approved]
    second = person.call("GET", "/api/approvals", query={**query, "cursor": first.json["next"]})
    assert _ids(second) == [denied]
    assert second.json["items"][0]["decided"] == {
        "decision": "deny",
        "by": {"id": person.user.id, "name": "ana"},
        "device": {"id": person.device_id, "name": "laptop"},
        "at": "2025-10-09T08:53:20.000Z",
        "channel": "terminal",
        "code": "too_broad",
        "note": "Read only, please",
        "ceremony": "none",
        "self_approved": False,
        **dict.fromkeys(("reason", "retry_at", "ask", "private_note")),
    }
    last = {**query, "cursor": second.json["next"]}
    assert _ids(person.call("GET", "/api/approvals", query=last)) == []
    assert _ids(person.call("GET", "/api/approvals")) == []


def test_a_filter_searches_further_than_one_page(agent, person, local):
    """The oldest of three requests is found although the page has one place."""
    denied, *approved = [agent.request_approval()[1].id for _ in range(3)]
    person.deny(denied)
    for approval_id in approved:
        local.clock.forward(SECOND)
        person.approve(approval_id)
    query = {"state": "decided", "limit": "1", "result": "denied"}
    assert _ids(person.call("GET", "/api/approvals", query=query)) == [denied]


def test_requests_of_another_person_are_not_found(agent, person, local):
    """The list omits them, and showing or deciding one returns not_found."""
    ben = new_person(local, "ben")
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    assert _ids(ben.call("GET", "/api/approvals")) == []
    assert ben.call("GET", f"/api/approvals/{approval.id}").refusal == (404, "not_found")
    assert ben.send_decision(approval.id, jws).refusal == (404, "not_found")
    assert person.call("GET", "/api/approvals/sayso_ap_none").refusal == (404, "not_found")


def test_the_first_view_of_a_request_is_recorded(agent, person, local):
    """Later views do not change the time, which the agent is told."""
    _, approval = agent.request_approval()
    person.show(approval.id)
    first = local.clock.now()
    local.clock.forward(MINUTE)
    person.show(approval.id)
    assert local.stored_approval(approval.id).seen_at == first


def test_listing_a_request_does_not_mark_it_as_seen(agent, person, local):
    """A request counts as seen only when it is opened."""
    _, approval = agent.request_approval()
    person.call("GET", "/api/approvals")
    assert local.stored_approval(approval.id).seen_at is None


def test_viewing_an_expired_request_does_not_mark_it_as_seen(agent, person, local):
    """Viewing an overdue request expires it instead."""
    _, approval = agent.request_approval(requested_expiry="60")
    person.call("GET", "/api/approvals")
    local.clock.forward(MINUTE)
    shown = person.show(approval.id)
    assert (shown["state"], shown["reason"]) == ("expired", "expired_unseen")
    assert local.stored_approval(approval.id).seen_at is None
    assert len(local.admin.entries("approval.expired")) == 1


def test_each_device_signs_its_own_stable_nonce(agent, person):
    """A signature by one device is useless for another."""
    other = another_device(person)
    _, approval = agent.request_approval()
    assert person.show(approval.id)["nonce"] == person.show(approval.id)["nonce"]
    assert person.show(approval.id)["nonce"] != other.show(approval.id)["nonce"]


def test_a_terminal_without_a_device_cannot_view_requests(agent, person, local):
    """A terminal must finish its enrollment before it can show a request."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    _, approval = agent.request_approval()
    unfinished = sign_in(local, user, issued.code)
    answer = unfinished.call("GET", f"/api/approvals/{approval.id}")
    assert answer.refusal == (403, "forbidden")
    assert person.show(approval.id)["nonce"]


@pytest.mark.parametrize("key", ["low", "high"])
def test_an_approval_key_approves_at_low_risk(agent, person, local, key):
    """State, decision, entry and event are stored together, with the signed bytes."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id, getattr(person, key))
    answer = person.send_decision(approval.id, jws)
    assert (answer.status, answer.json["state"]) == (200, "approved")
    assert local.admin.events(person.user)[-1] == "approval.decided"
    (entry,) = _decision_entries(local)
    assert (entry["type"], entry["actor"]) == ("approval.approved", f"user:{person.user.id}")
    assert entry["facts"] == {
        "kind": "action",
        "device": person.device_id,
        "channel": "terminal",
        "ceremony": "confirm",
        "signed": jws,
        "display_digest": approval.display_digest,
        "policy": json.loads(approval.policy),
    }
    assert (entry["action"], entry["decision"]) == (approval.action_digest, "approved")


@pytest.mark.parametrize("key", ["session", "low", "high"])
def test_any_key_of_the_device_may_deny(agent, person, local, key):
    """A denial needs no PIN at any risk, because it grants nothing."""
    _, approval = agent.request_payment()
    members = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
    jws = person.decision(approval.id, getattr(person, key), **members)
    answer = person.send_decision(approval.id, jws)
    assert (answer.status, answer.json["state"]) == (200, "denied")
    (entry,) = _decision_entries(local)
    assert (entry["type"], entry["cause"]) == ("approval.denied", "suspicious")


def test_the_session_key_cannot_approve(agent, person, local):
    """A stolen session cannot approve anything."""
    _, approval = agent.request_approval()
    refused = person.send_decision(approval.id, person.decision(approval.id, person.session))
    assert refused.refusal == (403, "key_not_allowed")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_high_risk_needs_the_high_key_and_a_recent_pin_call(agent, person, local):
    """The PIN call must name the request and be at most two minutes old."""
    _, approval = agent.request_payment()

    def send(key, ceremony):
        return person.send_decision(
            approval.id, person.decision(approval.id, key, ceremony=ceremony)
        )

    refused = (403, "pin_required")
    person.pin(approval.id)
    for key, ceremony in (
        (person.low, "pin"),
        (person.low, "confirm"),
        (person.high, "confirm"),
    ):
        assert send(key, ceremony).refusal == refused
    assert send(person.session, "pin").refusal == (403, "key_not_allowed")
    local.clock.forward(2 * MINUTE + 1)
    assert send(person.high, "pin").refusal == refused
    person.pin("session")
    assert send(person.high, "pin").refusal == refused
    _, other = agent.request_payment()
    person.pin(other.id)
    assert send(person.high, "pin").refusal == refused
    assert _decision_entries(local) == []
    person.pin(approval.id)
    local.clock.forward(2 * MINUTE)
    assert send(person.high, "pin").status == 200


def test_high_risk_without_a_pin_call_is_refused(agent, person):
    """The high key without a PIN call is not enough."""
    _, approval = agent.request_payment()
    jws = person.decision(approval.id, person.high, ceremony="pin")
    assert person.send_decision(approval.id, jws).refusal == (403, "pin_required")


def test_a_new_device_cannot_approve_high_risk_requests_for_a_day(agent, person, local):
    """A new device may immediately deny requests and approve low-risk requests."""
    new = another_device(person)
    _, payment = agent.request_payment()
    assert new.approve(payment.id).refusal == (403, "device_too_new")
    _, low = agent.request_approval()
    assert new.approve(low.id).status == 200
    assert new.deny(payment.id).status == 200
    local.clock.forward(DAY)
    new.refresh()
    _, later = agent.request_payment()
    assert new.approve(later.id).status == 200


def test_a_decision_with_the_high_key_resets_the_pin_tries(agent, person):
    """The low key does not reset them, because an unlocked app uses it without the PIN."""
    _, approval = agent.request_approval()
    person.pin()
    person.deny(approval.id)
    assert person.device.pin_tries == 1
    _, again = agent.request_approval()
    person.approve(again.id)
    assert person.device.pin_tries == 1
    _, payment = agent.request_payment()
    assert person.approve(payment.id).status == 200
    assert person.device.pin_tries == 0


def test_an_approval_without_a_ceremony_is_refused(agent, person, monkeypatch):
    """The check does not depend on the parser, which refuses it too."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    read = decisions.read_decision
    monkeypatch.setattr(decisions, "read_decision", lambda raw: replace(read(raw), ceremony="none"))
    assert person.send_decision(approval.id, jws).refusal == (422, "invalid_decision")


@pytest.mark.parametrize(
    ("key", "ceremony", "left"),
    [("low", "confirm", (2, 2)), ("high", "confirm", (0, 2)), ("high", "pin", (0, 1))],
)
def test_only_an_entered_pin_confirms_a_pin_call(agent, person, key, ceremony, left):
    """A confirmation in an unlocked app proves nothing about earlier PIN calls."""
    _, approval = agent.request_approval()
    person.pin()
    person.pin(approval.id)
    jws = person.decision(approval.id, getattr(person, key), ceremony=ceremony)
    assert person.send_decision(approval.id, jws).status == 200
    assert (person.device.pin_tries, person.device.pin_unconfirmed) == left


@pytest.mark.parametrize(
    "members",
    [
        {"approval": "sayso_ap_other"},
        {"action_digest": X},
        {"display_digest": X},
        {"nonce": X},
        {"at": 0},
        {"ceremony": "none"},
        {"code": "not_needed"},
        {"decision": "maybe"},
        {"decision": "deny"},
        {"granted": "more"},
        {"sub": "sayso_us_other"},
        {"iss": "sayso_dv_other"},
        {"aud": "https://other.example"},
        {"extra": "member"},
    ],
)
def test_a_decision_that_differs_in_one_member_is_refused(agent, person, local, members):
    """The signature must cover exactly what was displayed."""
    _, approval = agent.request_approval()
    answer = person.send_decision(approval.id, person.decision(approval.id, **members))
    assert answer.refusal == (422, "invalid_decision")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_a_decision_with_another_key_is_refused(agent, person):
    """An unknown key and a key of another device of the person are refused."""
    other = another_device(person)
    _, approval = agent.request_approval()
    for key in (SigningKey.generate(), other.low, other.high, other.session):
        answer = person.send_decision(approval.id, person.decision(approval.id, key))
        assert answer.refusal == (403, "key_not_allowed")


def test_a_malformed_decision_is_refused(agent, person):
    """Nonsense, a broken signature and a statement by the same key are refused."""
    _, approval = agent.request_approval()
    good = person.decision(approval.id)
    head, payload, signature = good.split(".")
    statement = signed_statement(
        person.low,
        person.signer,
        purpose="pin",
        subject=person.device_id,
        at=person.now,
        nonce=X,
    )
    for text in ("nonsense", f"{head}.{payload}.AAAA{signature[4:]}", f"{head}.e30.{signature}"):
        assert person.send_decision(approval.id, text).refusal == (422, "invalid_decision")
    assert person.send_decision(approval.id, statement).refusal == (422, "invalid_decision")


def test_repeating_a_decision_returns_the_same_response(agent, person, local):
    """The repeated call adds no audit entry and no event."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    first = person.send_decision(approval.id, jws)
    assert person.send_decision(approval.id, jws).json == first.json
    assert len(_decision_entries(local)) == 1
    assert local.admin.events(person.user).count("approval.decided") == 1


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("wrong_details", {"note": "Not ours"}),
        ("suspicious", {"note": "Another word"}),
        ("suspicious", {}),
        ("suspicious", {"note": "Not ours", "private_note": "Look at this"}),
    ],
)
def test_a_denial_with_other_contents_is_not_a_repetition(agent, person, code, members):
    """A different second denial is refused, and the first one is kept."""
    _, approval = agent.request_approval()
    first = person.deny(approval.id, "suspicious", note="Not ours")
    late = person.deny(approval.id, code, **members)
    assert late.refusal == (409, "already_decided")
    assert late.json["approval"]["decided"] == first.json["decided"]
    person.local.clock.forward(SECOND)
    assert person.deny(approval.id, "suspicious", note="Not ours").json == first.json


def test_a_second_decision_returns_the_first_one(agent, person, local):
    """A decision by another device, or a different decision, gets 409 with the approval."""
    other = another_device(person)
    _, approval = agent.request_approval()
    person.approve(approval.id)
    for late in (other.approve(approval.id), other.deny(approval.id), person.deny(approval.id)):
        assert late.refusal == (409, "already_decided")
        assert late.json["approval"]["state"] == "approved"
        assert late.json["approval"]["decided"]["device"]["name"] == "laptop"
    assert len(_decision_entries(local)) == 1


def test_a_redeemed_request_is_already_decided(agent, person):
    """A denial after the redemption is refused."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    agent.poll(handle)
    assert person.deny(approval.id).refusal == (409, "already_decided")


def test_a_decision_after_the_expiry_is_refused(agent, person, local):
    """A late decision is refused before and after the sweeper ran."""
    _, approval = agent.request_approval(requested_expiry="60")
    jws = person.decision(approval.id)
    local.clock.forward(MINUTE)
    late = person.send_decision(approval.id, jws)
    assert late.refusal == (409, "not_pending")
    assert late.json["approval"]["state"] == "expired"
    assert local.stored_approval(approval.id).reason == "expired_seen"
    assert person.send_decision(approval.id, jws).refusal == (409, "not_pending")


def test_a_decision_on_a_cancelled_request_is_refused(agent, person, local):
    """The refusal contains the reason of the cancellation."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    local.admin.agents.disable("invoice-bot", by=BY)
    late = person.send_decision(approval.id, jws)
    assert late.refusal == (409, "not_pending")
    assert late.json["approval"]["reason"] == "agent_disabled"


def test_an_expired_agents_request_cannot_be_approved(agent, person, local):
    """An agent that has expired is treated as disabled, and its request is canceled."""
    registration = register_agent(
        local.admin,
        "brief",
        auth_method="client_secret_post",
        expires_at=local.clock.now() + MINUTE,
    )
    _, approval = agent.request_approval(
        client_id=registration.agent.id, client_secret=registration.secret
    )
    jws = person.decision(approval.id)
    local.clock.forward(MINUTE)
    assert person.send_decision(approval.id, jws).refusal == (409, "not_pending")
    stored = local.stored_approval(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "agent_disabled")
    (entry,) = local.admin.entries("approval.cancelled")
    assert entry["actor"] == "system"


def test_a_request_for_a_deleted_resource_cannot_be_approved(agent, person, local):
    """The request is canceled with the reason resource_deleted."""
    _, approval = agent.request_approval()
    with local.services.store.administer() as tx:
        tx.resources.delete(PAY)
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert local.stored_approval(approval.id).reason == "resource_deleted"


def test_only_one_of_two_concurrent_decisions_is_accepted(agent, person, local, monkeypatch):
    """The conditional update determines the winner, not the earlier read."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    get = Approvals.get

    def get_and_deny(rows, approval_id):
        approval = get(rows, approval_id)
        rows.transition(approval, State.DENIED, now=local.clock.now())
        return approval

    monkeypatch.setattr(Approvals, "get", get_and_deny)
    late = person.send_decision(approval.id, jws)
    assert late.refusal == (409, "already_decided")
    assert late.json["approval"]["state"] == "denied"
    assert _decision_entries(local) == []


def test_a_note_for_the_agent_is_stored_only_with_a_denial(agent, person, local):
    """A note that is sent with an approval is not stored."""
    _, approval = agent.request_approval()
    answer = person.send_decision(approval.id, person.decision(approval.id), note="Go on")
    assert answer.json["decided"]["note"] is None
    _, denied = agent.request_approval()
    assert person.deny(denied.id, note="").json["decided"]["note"] is None
    _, noted = agent.request_approval()
    assert person.deny(noted.id, note="Too much").json["decided"]["note"] == "Too much"
    assert "Too much" not in str(local.admin.entries())


def test_wait_until_may_name_a_time_that_the_agent_gets(agent, person, local):
    """The time is stored with the decision and sent with the retry hint."""
    until = "2025-12-01T08:00:00+01:00"
    handle, approval = agent.request_approval()
    assert person.deny(approval.id, "wait_until", retry_at=until).status == 200
    polled = agent.poll(handle).json
    assert (polled["retry"], polled["retry_at"]) == ("not_before", "2025-12-01T07:00:00.000Z")
    with local.services.store.read() as view:
        (answer,) = view.decisions.of_approval(approval.id)
    assert answer.retry_at is not None
    other, plain = agent.request_approval()
    person.deny(plain.id, "wait_until")
    assert "retry_at" not in agent.poll(other).json


@pytest.mark.parametrize(
    ("code", "at"),
    [
        ("too_broad", "2025-12-01T08:00:00Z"),
        ("wait_until", "2025-10-09T08:53:20Z"),
        ("wait_until", "2027-12-01T08:00:00Z"),
        ("wait_until", "2025-12-01T08:00:00"),
        ("wait_until", "tomorrow"),
    ],
)
def test_an_invalid_retry_time_is_refused(agent, person, local, code, at):
    """The code must allow a time; the time must be soon, in the future and have an offset."""
    _, approval = agent.request_approval()
    refused = person.deny(approval.id, code, retry_at=at)
    assert refused.refusal == (422, "invalid_body")
    assert "retry_at" in refused.json["detail"]
    assert local.stored_approval(approval.id).state is State.PENDING


@pytest.mark.parametrize("note", ["x" * 501, "bell \x07", "over\u202eride"])
def test_a_note_must_be_short_and_displayable(agent, person, local, note):
    """An invalid note is refused, and the request stays pending."""
    _, approval = agent.request_approval()
    assert person.deny(approval.id, note=note).refusal == (422, "invalid_body")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_a_deleted_agent_is_shown_without_its_name(agent, person, local):
    """Approvals are kept when their agent is deleted."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    agent.poll(handle)
    local.admin.agents.delete("invoice-bot", by=BY)
    shown = person.show(approval.id)
    assert shown["agent"] == {"id": agent.id, "name": "(deleted agent)"}
    assert shown["decided"]["by"]["name"] == "ana"


def test_a_change_of_the_resource_does_not_change_a_pending_display(agent, person, local):
    """The display stays as it was, and a lower risk does not prevent the approval."""
    _, approval = agent.request_payment()
    changes = ResourceChanges(scopes={"payments:transfer": Risk.LOW})
    local.admin.resources.update(PAY, changes, by=BY)
    assert person.show(approval.id)["display"] == approval.display
    assert person.approve(approval.id).status == 200


def test_a_raised_risk_cancels_a_pending_request(agent, person, local):
    """The request was displayed with a lower risk, so it cannot be approved."""
    handle, approval = agent.request_approval()
    changes = ResourceChanges(scopes={"payments:read": Risk.HIGH})
    local.admin.resources.update(PAY, changes, by=BY)
    assert person.approve(approval.id).refusal == (409, "not_pending")
    assert local.stored_approval(approval.id).reason == "policy_changed"
    assert agent.poll(handle).refusal == (400, "access_denied")
