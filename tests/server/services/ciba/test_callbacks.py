"""Ping and push callbacks: what is sent, once per outcome, and to which agents nothing is sent."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.tokens import tokens
from server.services.approvals.withdrawals import withdraw
from server.services.ciba import callbacks
from server.services.clients.agent_forms import AgentChanges
from server.services.notifications.outbox import OutboxAdministration
from server.services.refusals import Conflict
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY
from tests.support.fakes.receiver import Receiver, answer, receiver

TOKEN = "c9b2~the.agents+own/token-1234=="
AUTH_REQ_ID = "urn:openid:params:jwt:claim:auth_req_id"


@pytest.fixture
def endpoint() -> Iterator[Receiver]:
    """The notification endpoint of the agent."""
    with receiver() as receiver_server:
        yield receiver_server


@pytest.fixture
def with_delivery(agent, local, endpoint):
    """Sets the delivery mode of the agent."""

    def call(mode, **changes):
        update = AgentChanges(delivery=mode, notification_endpoint=endpoint.url(), **changes)
        local.admin.agents.update(agent.id, update, by=BY)
        return agent

    return call


@pytest.fixture
def pinged(with_delivery):
    """The agent in ping mode."""
    return with_delivery("ping")


@pytest.fixture
def pushed(with_delivery):
    """The agent in push mode."""
    return with_delivery("push")


def _ask(agent, **parameters):
    return agent.request_approval(client_notification_token=TOKEN, **parameters)


def _bodies(endpoint):
    return [json.loads(got.body) for got in endpoint.got]


def _failed_delivery_causes(local):
    return [entry["cause"] for entry in local.admin.entries("callback.lost")]


def _stored_secrets(local, approval):
    row = local.stored_approval(approval.id)
    return row.notification_token, row.answer


@pytest.mark.parametrize("end", ["approve", "deny"])
def test_a_ping_contains_only_the_auth_req_id(pinged, person, local, endpoint, end):
    """CIBA 10.2: the agent authenticates the ping by its token and fetches the response itself."""
    handle, approval = _ask(pinged)
    getattr(person, end)(approval.id)
    local.deliver()
    (got,) = endpoint.got
    assert (got.method, json.loads(got.body)) == ("POST", {"auth_req_id": handle})
    assert got.headers["Authorization"] == f"Bearer {TOKEN}"
    assert got.headers["Content-Type"] == "application/json"
    assert pinged.poll(handle).status == (200 if end == "approve" else 400)


def test_a_repeated_request_may_have_a_new_notification_token(pinged, person, local, endpoint):
    """A program that was started again has a new token, and must recognize its ping."""
    ask = partial(pinged.ask, {"idempotency-key": "INV-1"})
    handle = ask(client_notification_token=TOKEN).json["auth_req_id"]
    assert ask(client_notification_token="the-new-one").json["auth_req_id"] == handle
    approval = local.approval_for(handle)
    person.approve(approval.id)
    local.deliver()
    (got,) = endpoint.got
    assert got.headers["Authorization"] == "Bearer the-new-one"
    assert pinged.poll(handle).status == 200
    assert ask(client_notification_token=TOKEN).json["auth_req_id"] == handle
    assert _stored_secrets(local, approval)[0] is None


def test_an_agent_in_poll_mode_gets_no_callback(agent, person, local):
    """The notification token of such an agent is neither validated nor stored."""
    _, approval = agent.request_approval(client_notification_token="not a token\r\n")
    person.approve(approval.id)
    with local.services.store.read() as view:
        assert view.approvals.get(approval.id).notification_token is None
    assert local.stored_approval(approval.id).delivery == "poll"


@pytest.mark.parametrize("token", [None, "", "a b", "a\r\nX: y", '"a"', "é", "=a", "a" * 1025])
def test_a_ping_request_needs_a_valid_notification_token(pinged, token):
    """CIBA 7.1, RFC 6750 2.1: the token is required and has bearer token syntax."""
    answered = pinged.ask(client_notification_token=token)
    assert answered.refusal == (400, "invalid_request")
    assert pinged.ask(client_notification_token="a" * 1024).status == 200


def test_the_notification_token_is_sealed_and_erased_when_no_longer_needed(
    pinged, person, local, endpoint
):
    """A copy of the database contains no usable notification token."""
    handle, approval = _ask(pinged)
    for file in local.services.settings.data_dir.glob("sayso.db*"):
        assert TOKEN.encode() not in file.read_bytes()
    person.approve(approval.id)
    local.deliver()
    assert _stored_secrets(local, approval)[0] is not None
    assert pinged.poll(handle, idempotency_key="k").status == 200
    assert _stored_secrets(local, approval)[0] is None
    assert pinged.poll(handle, idempotency_key="k").status == 200
    assert len(endpoint.got) == 1


def test_a_response_fetched_before_the_ping_sends_no_ping(pinged, person, local, endpoint):
    """The agent already has the response, so a ping would be useless."""
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    assert pinged.poll(handle, idempotency_key="k").status == 200
    local.deliver()
    assert endpoint.got == []
    assert pinged.poll(handle, idempotency_key="k").status == 200


@pytest.mark.parametrize("answered", [False, True])
def test_an_expired_request_sends_no_ping_and_erases_its_secrets(
    pinged, person, local, endpoint, answered
):
    """CB-161: the agent knows the expiry, and the secrets of the callback are deleted."""
    handle, approval = _ask(pinged, requested_expiry="60")
    if answered:
        person.approve(approval.id)
        local.deliver()
    local.clock.forward(2 * MINUTE)
    local.services.sweeper.round()
    local.deliver()
    assert local.stored_approval(approval.id).state is State.EXPIRED
    assert _bodies(endpoint) == [{"auth_req_id": handle}] * answered
    assert _stored_secrets(local, approval) == (None, None)
    assert pinged.poll(handle).refusal == (400, "expired_token")


def test_a_pinged_agent_is_told_of_a_retry_request_when_it_polls(pinged, person, local, endpoint):
    """The server sends no ping for the expiry and none for the later retry request."""
    handle, approval = _ask(pinged, requested_expiry="60")
    local.clock.forward(MINUTE)
    local.services.sweeper.round()
    local.deliver()
    assert person.call("POST", f"/api/approvals/{approval.id}/retry").status == 200
    local.deliver()
    assert _bodies(endpoint) == []
    assert pinged.poll(handle).json["retry"] == "wanted"


@pytest.mark.parametrize("mode", ["ping", "push"])
def test_with_hidden_users_the_expiry_of_an_unknown_user_is_sent_like_any_other(
    template, open_local, endpoint, mode
):
    """NG-015: a missing callback would reveal that the user does not exist."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    changes = AgentChanges(delivery=mode, notification_endpoint=endpoint.url())
    local.admin.agents.update(agent.id, changes, by=BY)
    for hint in ("ana", "nobody"):
        agent.ask(client_notification_token=TOKEN, login_hint=hint, requested_expiry="60")
    local.clock.forward(MINUTE)
    local.services.sweeper.round()
    local.deliver()
    bodies = _bodies(endpoint)
    assert len({body.pop("auth_req_id") for body in bodies}) == len(bodies)
    assert bodies == ([bodies[0]] * 2 if mode == "push" else [])


def test_withdrawing_an_approved_request_sends_a_second_ping(pinged, person, local, endpoint):
    """The first ping announced an approval that is no longer valid."""
    _, approval = _ask(pinged)
    person.approve(approval.id)
    local.deliver()
    with local.services.store.write() as tx:
        withdraw(tx, [tx.approvals.get(approval.id)], reason="policy_changed", actor=BY)
    local.deliver()
    assert len(endpoint.got) == 2
    assert _stored_secrets(local, approval) == (None, None)


def test_disabling_the_agent_cancels_its_push(pushed, person, local, endpoint):
    """Nothing is pushed, and the stored secrets are deleted."""
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.admin.agents.disable(pushed.id, by=BY)
    local.deliver()
    assert (endpoint.got, local.stored_approval(approval.id).state) == ([], State.CANCELLED)
    assert _stored_secrets(local, approval) == (None, None)


def test_deleting_the_agent_cancels_its_ping(pinged, person, local, endpoint):
    """A deleted agent cannot be notified."""
    _, approval = _ask(pinged)
    person.deny(approval.id)
    local.admin.agents.delete(pinged.id, by=BY)
    local.deliver()
    assert endpoint.got == []


def test_an_agent_that_changed_to_poll_mode_gets_no_ping(pinged, person, local, endpoint):
    """The current delivery mode applies, not the one at the time of the request."""
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    local.admin.agents.update(pinged.id, AgentChanges(delivery="poll"), by=BY)
    local.deliver()
    assert (endpoint.got, pinged.poll(handle).status) == ([], 200)


def test_a_push_contains_the_tokens(pushed, person, local, endpoint):
    """CIBA 10.3.1: a push is the token response with auth_req_id; the ID token has both hashes."""
    handle, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    (body,) = _bodies(endpoint)
    claims = local.claims(body["id_token"], "JWT")
    assert body["auth_req_id"] == claims[AUTH_REQ_ID] == handle
    assert claims["at_hash"] == tokens.at_hash(body["access_token"], "ES256")
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert local.claims(body["access_token"])["sub"] == person.user.id
    assert endpoint.got[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert local.stored_approval(approval.id).state is State.REDEEMED
    assert _stored_secrets(local, approval) == (None, None)


def test_an_agent_in_push_mode_cannot_poll(pushed, with_delivery):
    """CIBA 11: in ping mode, this still applies to requests that will be pushed."""
    answered = pushed.ask(client_notification_token=TOKEN)
    assert "interval" not in answered.json
    handle = answered.json["auth_req_id"]
    assert pushed.poll(handle).refusal == (400, "unauthorized_client")
    assert pushed.poll("unknown").refusal == (400, "unauthorized_client")
    assert with_delivery("ping").poll(handle).refusal == (400, "unauthorized_client")


def test_a_request_from_before_push_mode_is_polled(agent, person, with_delivery):
    """It has no notification token, so its result cannot be pushed."""
    handle, approval = agent.request_approval()
    with_delivery("push")
    person.approve(approval.id)
    assert agent.poll(handle).status == 200


def test_a_request_from_push_mode_is_polled_in_poll_mode(pushed, person, local):
    """Without a notification endpoint, nothing can be pushed."""
    handle, approval = _ask(pushed)
    local.admin.agents.update(pushed.id, AgentChanges(delivery="poll"), by=BY)
    person.approve(approval.id)
    local.deliver()
    assert pushed.poll(handle).status == 200


def test_a_failed_push_is_retried_with_the_same_tokens(pushed, person, local, endpoint):
    """NG-008: an approval yields one token set; expires_in is the remaining lifetime."""
    endpoint.behavior = answer(503)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    for pause in (1, 2, 4):
        local.deliver()
        local.clock.forward(pause * SECOND)
    endpoint.behavior = answer(204)
    local.deliver()
    first, *_, last = _bodies(endpoint)
    assert first["access_token"] == last["access_token"]
    assert (first["expires_in"], last["expires_in"], len(endpoint.got)) == (300, 293, 4)
    assert len(local.admin.entries("token.issued")) == 1
    assert (_failed_delivery_causes(local), _stored_secrets(local, approval)) == ([], (None, None))


def test_a_push_whose_tokens_expired_sends_transaction_failed(pushed, person, local, endpoint):
    """CIBA 12: no new tokens are issued, and one audit entry is written."""
    endpoint.behavior = answer(503)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    for _ in range(2):
        local.clock.forward(6 * MINUTE)
        local.services.sweeper.tidy()
        local.deliver()
    assert [body.get("error") for body in _bodies(endpoint)] == [
        None,
        "transaction_failed",
        "transaction_failed",
    ]
    assert _failed_delivery_causes(local) == ["the tokens expired first"]
    assert len(local.admin.entries("token.issued")) == 1


def test_tokens_revoked_before_the_push_are_not_sent(pushed, person, local, endpoint):
    """The push contains transaction_failed instead."""
    endpoint.behavior = answer(503)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    with local.services.store.write() as tx:
        tx.delegations.revoke_user(person.user.id, tx.now)
    local.clock.forward(SECOND)
    local.deliver()
    assert _bodies(endpoint)[-1]["error"] == "transaction_failed"


def test_a_push_that_the_receiver_rejects_is_recorded_and_not_retried(
    pushed, person, local, endpoint
):
    """CB-164: there is no second attempt, and the operator's webhook gets an alarm."""
    endpoint.behavior = answer(401)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    local.clock.forward(MINUTE)
    assert local.deliver() == 0
    assert _failed_delivery_causes(local) == ["status 401"]
    assert local.messages()[-1]["event"] == "alarm.callback_lost"
    assert (len(endpoint.got), _stored_secrets(local, approval)) == (1, (None, None))


def _retry_undelivered_call(local):
    outbox = OutboxAdministration(local.services.store)
    (dead,) = outbox.state().dead
    outbox.retry(dead.message.id, by=BY)


def test_an_abandoned_push_cannot_be_sent_again(pushed, person, local, endpoint):
    """Its secrets are deleted, so a retry would send nothing."""
    endpoint.behavior = answer(401)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    with pytest.raises(Conflict, match="its token was deleted"):
        _retry_undelivered_call(local)
    assert local.admin.entries("outbox.retried") == []


def test_an_abandoned_ping_for_an_approval_can_be_sent_again(pinged, person, local, endpoint):
    """The agent has not fetched its token yet."""
    endpoint.behavior = answer(401)
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    local.deliver()
    endpoint.behavior = answer(204)
    _retry_undelivered_call(local)
    local.deliver()
    assert _bodies(endpoint) == [{"auth_req_id": handle}] * 2


def test_after_a_rejected_ping_the_agent_can_still_poll(pinged, person, local, endpoint):
    """CB-165: a ping contains no tokens, so none are lost."""
    endpoint.behavior = answer(403)
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    local.deliver()
    assert _failed_delivery_causes(local) == ["status 403"]
    assert pinged.poll(handle).status == 200


def test_a_callback_for_a_deleted_approval_is_ignored(local):
    """An outbox message may outlive its approval."""
    calls = callbacks.Callbacks(local.services.store, local.services.secrets, None)
    message = json.dumps({"approval": "sayso_ap_gone", "event": "approval.decided"})
    with local.services.store.write() as tx:
        calls.record_failure(tx, message, "x")
        calls.record_delivery(tx, message)
    assert (calls.push(message), calls.ping(message), _failed_delivery_causes(local)) == (
        None,
        None,
        [],
    )


def test_a_denial_is_pushed_as_access_denied(pushed, person, local, endpoint):
    """CIBA 12: the push has the same members as the response to a poll."""
    handle, approval = _ask(pushed)
    person.deny(approval.id, code="wrong_details", note="too much")
    local.deliver()
    (body,) = _bodies(endpoint)
    members = {name: body[name] for name in ("auth_req_id", "error", "reason", "note")}
    assert members == {
        "auth_req_id": handle,
        "error": "access_denied",
        "reason": "denied",
        "note": "too much",
    }


def test_an_expiry_is_pushed(pushed, local, endpoint):
    """An agent in push mode cannot poll for the expiry."""
    _ask(pushed, requested_expiry="60")
    local.clock.forward(MINUTE)
    local.services.sweeper.round()
    local.deliver()
    (body,) = _bodies(endpoint)
    assert (body["error"], body["reason"]) == ("expired_token", "undeliverable")


def test_permissions_narrowed_before_the_push_stop_the_tokens(pushed, person, local, endpoint):
    """Tokens are issued when they are sent, if the agent may still have them."""
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.admin.agents.update(pushed.id, AgentChanges(scopes=("payments:transfer",)), by=BY)
    local.deliver()
    assert [body["error"] for body in _bodies(endpoint)] == ["access_denied"]
    assert local.stored_approval(approval.id).state is State.CANCELLED
    assert local.admin.entries("token.issued") == []


def test_an_approval_that_expires_before_the_push_yields_no_tokens(pushed, person, local, endpoint):
    """A worker that is late does not issue tokens."""
    _, approval = _ask(pushed, requested_expiry="60")
    person.approve(approval.id)
    local.clock.forward(2 * MINUTE)
    local.deliver()
    local.services.sweeper.round()
    local.deliver()
    assert [body["error"] for body in _bodies(endpoint)] == ["expired_token"]
    assert local.stored_approval(approval.id).reason == "not_redeemed"


def test_pushed_tokens_are_bound_to_the_key_of_the_request(with_delivery, person, local, endpoint):
    """CB-173: the agent proves its key at /bc-authorize, with a proof for that path."""
    bound = with_delivery("push", dpop_bound=True)
    assert bound.ask(client_notification_token=TOKEN).refusal == (400, "invalid_dpop_proof")
    wrong, right = (
        person.proof("POST", path, access_token=None) for path in ("/token", "/bc-authorize")
    )
    form = {
        "login_hint": "ana",
        "scope": "openid payments:read",
        "client_notification_token": TOKEN,
        **bound.credentials,
    }
    refused = local.post_form("/bc-authorize", form, proofs=[wrong])
    assert refused.refusal == (400, "invalid_dpop_proof")
    answered = local.post_form("/bc-authorize", form, proofs=[right])
    person.approve(local.approval_for(answered.json["auth_req_id"]).id)
    local.deliver()
    (body,) = _bodies(endpoint)
    assert body["token_type"] == "DPoP"
    assert local.claims(body["access_token"])["cnf"] == {
        "jkt": decisions.thumbprint(person.session.jwk)
    }


def test_requiring_dpop_after_the_request_stops_the_push(with_delivery, person, local, endpoint):
    """CB-173: an agent that now needs DPoP gets no bearer token for an older request."""
    pushed = with_delivery("push")
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.admin.agents.update(pushed.id, AgentChanges(dpop_bound=True), by=BY)
    local.deliver()
    local.deliver()
    assert [body["error"] for body in _bodies(endpoint)] == ["access_denied"]
    assert local.stored_approval(approval.id).reason == "policy_changed"


def test_without_dpop_pushed_tokens_are_bearer_tokens(pushed, local):
    """The stored request has no key thumbprint."""
    handle, _ = _ask(pushed)
    assert local.approval_for(handle).jkt is None


def test_the_hash_of_the_auth_req_id_is_sha_256(pinged, local):
    """Only the hash of the auth_req_id is stored."""
    handle, approval = _ask(pinged)
    assert local.approval_for(handle).auth_req_hash == hashlib.sha256(handle.encode()).digest()
    assert approval.delivery == "ping"
