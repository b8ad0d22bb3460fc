"""Backchannel requests: which are accepted, what the approval contains, and which are refused."""

import hashlib
import json

import pytest

from server.model.audit import EntrySearch
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN, GRANT_CIBA, GRANT_CLIENT_CREDENTIALS
from server.protocol.policy.risks import Risk
from server.services.audit import audit
from server.services.audit.entries import AuditEntries
from server.services.audit.retention import Retention
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES, register_agent
from tests.support.builders.site import PEER

SAFE = "https://safe.example"


@pytest.fixture
def count_requests(local):
    """Counts the stored requests."""

    def count() -> int:
        with local.services.store.read() as view:
            return len(view.approvals.search(state=None, agent_id=None, user_id=None, limit=100))

    return count


def _update(local, **changes):
    local.admin.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def test_the_response_contains_interval_expiry_and_fingerprint(agent, local):
    """CIBA 7.3: the fingerprint is that of the stored action."""
    answer = agent.ask()
    approval = local.approval_for(answer.json["auth_req_id"])
    assert answer.json == {
        "auth_req_id": answer.json["auth_req_id"],
        "expires_in": 86_400,
        "interval": 5,
        "fingerprint": decisions.fingerprint(approval.action_digest),
    }
    assert answer.json["auth_req_id"].startswith("sayso_ar_")
    assert approval.state is State.PENDING


def test_only_a_hash_of_the_auth_req_id_is_stored(agent, local):
    """Someone who reads the database cannot poll, and people see a different ID."""
    handle, approval = agent.request_approval()
    assert approval.auth_req_hash == hashlib.sha256(handle.encode()).digest()
    for file in local.services.settings.data_dir.glob("sayso.db*"):
        assert handle.encode() not in file.read_bytes()


def test_a_request_is_found_by_a_value_that_the_log_does_not_have(agent, local):
    """Handle and hint find the request by their hashes; erasing the user deletes the hashes."""
    handle, approval = agent.request_approval(login_hint="admin")
    entries = AuditEntries(local.services.store)

    def found(value: str) -> list[str | None]:
        search = EntrySearch(value_hash=audit.hash_value(local.services.secrets, value))
        return [entry.approval_id for entry in entries.search(search, 10)]

    (entry,) = local.admin.entries("approval.requested")
    assert handle not in json.dumps(entry)
    assert found(handle) == found("admin") == [approval.id]
    assert found("nobody") == []
    Retention(local.services.store).erase("admin", by=BY)
    assert found(handle) == found("admin") == []


@pytest.mark.parametrize(
    ("wanted", "seconds"), [(None, 600), ("60", 60), ("600", 600), ("99999", 600)]
)
def test_requested_expiry_only_shortens_the_limit_of_the_risk(agent, wanted, seconds):
    """A requested expiry can shorten the lifetime, but never lengthen it."""
    answer = agent.ask_payment(requested_expiry=wanted)
    assert answer.json["expires_in"] == seconds


def test_the_action_text_contains_exactly_the_request(agent, person):
    """Agent, user, resource, scope and details are in the text, whose digest is signed."""
    _, approval = agent.request_payment()
    action = json.loads(approval.action)
    salt = action.pop("salt")
    assert action == {
        "agent": agent.id,
        "authorization_details": json.loads(approval.details),
        "resource": PAY,
        "scope": ["payments:transfer"],
        "user": person.user.id,
    }
    assert approval.action_digest == decisions.digest(approval.action)
    assert approval.display_digest == decisions.digest(approval.display)
    _, again = agent.request_payment()
    assert json.loads(again.action)["salt"] != salt


def test_the_display_shows_owners_address_and_first_request(agent, person, local):
    """The owners and the address come from the server, and the message from the agent."""
    _, approval = agent.request_approval(binding_message="INV-2291 is due")
    shown = json.loads(approval.display)
    assert shown["agent"] == {
        "id": agent.id,
        "name": "invoice-bot",
        "owners": ["admin"],
        "first_request": True,
        "keys": [local.admin.agents.show(agent.id)[0].secrets[0].id],
        "through": [],
    }
    assert (shown["agent_says"], shown["asked_from"]) == ("INV-2291 is due", PEER)
    assert shown["user"] == {"id": person.user.id, "name": "ana"}
    _, second = agent.request_approval()
    assert json.loads(second.display)["agent"]["first_request"] is False


def test_a_request_writes_an_event_a_webhook_message_and_an_entry(agent, person, local):
    """All three are written in the unit of work that stores the request."""
    before = len(local.admin.events(person.user))
    _, approval = agent.request_payment()
    assert local.admin.events(person.user)[before:] == ["approval.requested"]
    assert local.messages()[-1] == {
        "event": "approval.requested",
        "at": local.clock.now(),
        "approval": approval.id,
        "agent": agent.id,
        "risk": "high",
        "kind": "action",
        "notify": True,
    }
    (entry,) = local.admin.entries("approval.requested")
    assert (entry["agent_id"], entry["subject"], entry["resource"]) == (
        agent.id,
        person.user.id,
        PAY,
    )
    assert (entry["action"], entry["posture"]) == (approval.action_digest, "high")


def test_an_agent_without_the_ciba_grant_is_refused(agent, local, count_requests):
    """CIBA 13: the error is unauthorized_client."""
    _update(local, grant_types=(GRANT_CLIENT_CREDENTIALS,))
    assert agent.ask().refusal == (400, "unauthorized_client")
    assert count_requests() == 0


def test_a_disabled_agent_is_told_only_after_it_authenticates(agent, local, count_requests):
    """A caller without the secret is not told that the agent is disabled."""
    local.admin.agents.disable("invoice-bot", by=BY)
    refused = agent.ask()
    assert refused.refusal == (400, "unauthorized_client")
    assert refused.json["reason"] == "agent_disabled"
    assert agent.ask(client_secret="guess").refusal == (401, "invalid_client")
    assert count_requests() == 0


def test_the_same_idempotency_key_returns_the_same_request(agent, count_requests):
    """A client that lost the response can repeat the call, and nobody is asked twice."""
    first = agent.ask({"idempotency-key": "k1"})
    assert agent.ask({"idempotency-key": "k1"}).json == first.json
    assert count_requests() == 1
    agent.ask({"idempotency-key": "k2"})
    agent.ask()
    assert count_requests() == 3


def test_a_repeated_call_returns_the_remaining_time(agent, local, count_requests):
    """If the request has ended, the agent is told at its next poll."""
    handle = agent.ask_payment(headers={"idempotency-key": "k"}).json["auth_req_id"]
    local.clock.forward(1)
    assert agent.ask_payment(headers={"idempotency-key": "k"}).json["expires_in"] == 600
    local.clock.forward(10 * MINUTE)
    ended = agent.ask_payment(headers={"idempotency-key": "k"}).json
    assert (ended["auth_req_id"], ended["expires_in"]) == (handle, 1)
    assert agent.poll(handle).refusal == (400, "expired_token")
    assert count_requests() == 1


def test_an_idempotency_key_matches_its_request_in_every_state(agent, person, count_requests):
    """A restarted agent gets the response that it missed, and nobody is asked twice."""
    headers = {"idempotency-key": "k"}
    handle, approval = agent.request_approval(headers=headers)
    person.approve(approval.id)
    assert agent.ask(headers).json["auth_req_id"] == handle
    agent.poll(handle)
    assert agent.ask(headers).json["auth_req_id"] == handle
    assert agent.poll(handle).refusal == (400, "invalid_grant")
    other, denied = agent.request_approval(headers={"idempotency-key": "other"})
    person.deny(denied.id, code="too_broad")
    assert agent.ask({"idempotency-key": "other"}).json["auth_req_id"] == other
    assert agent.poll(other).json["deny_code"] == "too_broad"
    assert count_requests() == 2


def test_an_idempotency_key_with_a_different_request_is_refused(agent, count_requests):
    """The response of a different request is not returned."""
    agent.ask({"idempotency-key": "k"})
    refused = agent.ask({"idempotency-key": "k"}, binding_message="another")
    assert refused.refusal == (400, "invalid_request")
    assert count_requests() == 1


def test_idempotency_keys_are_separate_for_each_agent(agent, local, count_requests):
    """An agent cannot join another agent's request by guessing its key."""
    other = register_agent(local.admin, "other", auth_method="client_secret_post")
    first_id = agent.ask({"idempotency-key": "k"}).json["auth_req_id"]
    second_id = agent.ask(
        {"idempotency-key": "k"}, client_id=other.agent.id, client_secret=other.secret
    ).json["auth_req_id"]
    assert first_id != second_id
    assert count_requests() == 2


@pytest.mark.parametrize(("length", "status"), [(0, 400), (1, 200), (255, 200), (256, 400)])
def test_an_idempotency_key_has_one_to_255_characters(agent, length, status):
    """An empty header is a client error, not an absent key."""
    assert agent.ask({"idempotency-key": "k" * length}).status == status


def test_a_request_without_scope_and_details_is_refused(agent, count_requests):
    """The request names a resource but does not request anything there."""
    assert agent.ask(scope="openid").refusal == (400, "invalid_target")
    assert count_requests() == 0


def test_an_action_needs_no_scope(agent):
    """The details define the token, and the risk is that of the action."""
    _, approval = agent.request_payment(scope="openid")
    assert (approval.risk, approval.scope, approval.ceremony) == (Risk.HIGH, "", "pin")
    shown = json.loads(approval.display)
    assert (shown["scopes"], shown["headline"][:3]) == ([], "Pay")


def test_a_critical_request_without_two_eligible_approvers_is_refused(agent, local, count_requests):
    """CIBA 13: the error is a 403; nobody is notified, and the audit log has an entry."""
    local.admin.resources.add(SAFE, {"safe:open": Risk.CRITICAL}, {}, by=BY)
    _update(local, resources=(PAY, SAFE), scopes=(*PAY_SCOPES, "safe:open"))
    admin, _ = local.admin.users.show("admin")
    events_before = local.admin.events(admin)
    refused = agent.ask(resource=SAFE, scope="openid safe:open", login_hint="admin")
    assert refused.refusal == (403, "access_denied")
    assert refused.json["reason"] == "too_few_people"
    assert "2 approvals, but only 1 person can" in refused.json["error_description"]
    assert count_requests() == 0
    assert local.admin.events(admin) == events_before
    (entry,) = local.admin.entries("approval.refused")
    assert (entry["cause"], entry["agent_id"], entry["action"]) == (
        "too_few_people",
        agent.id,
        "safe:open",
    )


def test_an_unknown_user_is_refused(agent, count_requests):
    """CIBA 13: nothing is stored except the count of attempts."""
    assert agent.ask(login_hint="nobody").refusal == (400, "unknown_user_id")
    assert count_requests() == 0


def test_an_agent_that_guesses_users_is_refused_for_known_users_too(agent, local, count_requests):
    """The limit is twenty unknown users in ten minutes; each refusal is an entry."""
    for number in range(20):
        assert agent.ask(login_hint=f"nobody{number}").refusal == (400, "unknown_user_id")
    assert agent.ask(login_hint="nobody").refusal == (403, "access_denied")
    assert agent.ask(login_hint="ana").refusal == (403, "access_denied")
    assert [entry["cause"] for entry in local.admin.entries("approval.refused")] == ["guessing"] * 2
    local.clock.forward(10 * MINUTE)
    assert agent.ask(login_hint="ana").status == 200
    assert count_requests() == 1


def test_with_hidden_users_a_request_to_an_unknown_user_looks_like_any_other(open_local, template):
    """The request is accepted, stays pending and expires unseen, and it is in no feed."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    handle, phantom = agent.request_approval(login_hint="nobody", requested_expiry="60")
    assert phantom.user_id is None
    local.clock.forward(5_000)
    assert agent.poll(handle).json["error"] == "authorization_pending"
    local.clock.forward(MINUTE)
    polled = agent.poll(handle)
    assert (polled.json["error"], polled.json["reason"]) == ("expired_token", "expired_unseen")
    with local.services.store.read() as view:
        events = view.feed.events_after(0, None, 1_000)
        users = [event.user_id for event in events if event.approval_id == phantom.id]
        assert [view.directory.user(user_id) for user_id in users] == [None] * len(users)
    assert [entry.get("subject") for entry in local.admin.entries("approval.requested")] == [None]


def test_with_hidden_users_guessing_is_never_refused(open_local, template):
    """A refusal after twenty guesses would reveal which names exist."""
    agent = template.agent(open_local(unknown_user="hide"))
    for number in range(21):
        assert agent.ask(login_hint=f"nobody{number}").status == 200
    assert agent.ask(login_hint="ana").status == 200


def test_with_hidden_users_the_request_limit_counts_unknown_users_too(open_local, template):
    """The limit applies per agent and hint, equally for known and unknown users."""
    local = open_local(unknown_user="hide", open_per_agent=2)
    agent = template.agent(local)
    for hint in ("ana", "nobody"):
        answers = [agent.ask(login_hint=name) for name in (hint, hint, hint.upper())]
        assert [answer.status for answer in answers] == [200, 200, 403]
        assert "already has 2 open requests" in answers[2].json["error_description"]
    assert agent.ask(login_hint="nobody else").status == 200
    local.clock.forward(DAY)
    assert agent.ask(login_hint="nobody").status == 200


def test_the_ciba_grant_alone_is_enough_to_ask(agent, local):
    """An agent needs no other grant type."""
    _update(local, grant_types=(GRANT_CIBA,))
    assert agent.ask().status == 200


def test_an_agent_may_require_the_pin_with_acr_values(agent, person, local):
    """CB-075, CB-154, FC-T6: the PIN is required at low risk too, and the token states it."""
    handle, approval = agent.request_approval(acr_values=ACR_SIGNED_PIN)
    assert (approval.risk, approval.ceremony) == (Risk.LOW, "pin")
    confirmed = person.send_decision(approval.id, person.decision(approval.id))
    assert confirmed.refusal == (403, "pin_required")
    assert person.approve(approval.id).status == 200
    answer = agent.poll(handle).json
    assert local.claims(answer["id_token"], "JWT")["acr"] == ACR_SIGNED_PIN


def test_acr_values_never_lower_the_ceremony(agent):
    """High risk requires the PIN, whatever the agent requests."""
    _, approval = agent.request_payment(acr_values=ACR_SIGNED)
    assert approval.ceremony == "pin"
