"""Calling agents back: what is said, once for each end, and never to whom it does not concern."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.tokens import tokens
from server.services.approvals.withdrawals import withdraw
from server.services.ciba import callbacks
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY
from tests.support.fakes.receiver import Receiver, answer, receiver

TOKEN = "c9b2~the.agents+own/token-1234=="
AUTH_REQ_ID = "urn:openid:params:jwt:claim:auth_req_id"


@pytest.fixture
def far() -> Iterator[Receiver]:
    """The endpoint of the agent."""
    with receiver() as made:
        yield made


@pytest.fixture
def called(agent, local, far):
    """Makes the agent one that is called back in this mode."""

    def call(mode, **changes):
        asked = AgentChanges(delivery=mode, notification_endpoint=far.url(), **changes)
        local.desk.agents.update(agent.id, asked, by=BY)
        return agent

    return call


@pytest.fixture
def pinged(called):
    """The agent, pinged."""
    return called("ping")


@pytest.fixture
def pushed(called):
    """The agent, pushed to."""
    return called("push")


def _ask(agent, **parameters):
    return agent.asked(client_notification_token=TOKEN, **parameters)


def _bodies(far):
    return [json.loads(got.body) for got in far.got]


def _lost(local):
    return [entry["cause"] for entry in local.desk.entries("callback.lost")]


def _kept(local, approval):
    row = local.stored(approval.id)
    return row.notification_token, row.answer


@pytest.mark.parametrize("end", ["approve", "deny"])
def test_an_answer_is_pinged_with_the_handle_alone(pinged, person, local, far, end):
    """CIBA 10.2: by the agent's own token; the answer itself is fetched."""
    handle, approval = _ask(pinged)
    getattr(person, end)(approval.id)
    local.deliver()
    (got,) = far.got
    assert (got.method, json.loads(got.body)) == ("POST", {"auth_req_id": handle})
    assert got.headers["Authorization"] == f"Bearer {TOKEN}"
    assert got.headers["Content-Type"] == "application/json"
    assert pinged.poll(handle).status == (200 if end == "approve" else 400)


def test_one_that_polls_is_called_nowhere(agent, person, local):
    """Its token is not even looked at."""
    _, approval = agent.asked(client_notification_token="not a token\r\n")
    person.approve(approval.id)
    with local.services.store.read() as view:
        assert view.approvals.get(approval.id).notification_token is None
    assert local.stored(approval.id).delivery == "poll"


@pytest.mark.parametrize("token", [None, "", "a b", "a\r\nX: y", '"a"', "é", "=a", "a" * 1025])
def test_without_a_token_that_fits_a_header_nobody_is_asked(pinged, token):
    """CIBA 7.1, RFC 6750 2.1."""
    answered = pinged.ask(client_notification_token=token)
    assert answered.refusal == (400, "invalid_request")
    assert pinged.ask(client_notification_token="a" * 1024).status == 200


def test_the_token_lies_sealed_and_only_until_it_is_needed_no_more(pinged, person, local, far):
    """Whoever copies the database calls nobody in our name."""
    handle, approval = _ask(pinged)
    for file in local.services.settings.data_dir.glob("sayso.db*"):
        assert TOKEN.encode() not in file.read_bytes()
    person.approve(approval.id)
    local.deliver()
    assert _kept(local, approval)[0] is not None
    assert pinged.poll(handle, idempotency_key="k").status == 200
    assert _kept(local, approval)[0] is None
    assert pinged.poll(handle, idempotency_key="k").status == 200
    assert len(far.got) == 1


def test_an_answer_that_was_fetched_before_the_ping_is_not_pinged(pinged, person, local, far):
    """There is nothing to tell any more."""
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    assert pinged.poll(handle, idempotency_key="k").status == 200
    local.deliver()
    assert far.got == []
    assert pinged.poll(handle, idempotency_key="k").status == 200


@pytest.mark.parametrize("answered", [False, True])
def test_what_ends_by_the_clock_is_not_pinged_and_leaves_nothing(
    pinged, person, local, far, answered
):
    """CB-161: its agent was told when that would be; what was kept for the call is dropped."""
    handle, approval = _ask(pinged, requested_expiry="60")
    if answered:
        person.approve(approval.id)
        local.deliver()
    local.clock.forward(2 * MINUTE)
    local.services.sweeper.round()
    local.deliver()
    assert local.stored(approval.id).state is State.EXPIRED
    assert _bodies(far) == [{"auth_req_id": handle}] * answered
    assert _kept(local, approval) == (None, None)
    assert pinged.poll(handle).refusal == (400, "expired_token")


def test_who_is_pinged_reads_at_a_poll_that_it_is_wanted_again(pinged, person, local, far):
    """It is called for no expiry, and for nothing that is said later."""
    handle, approval = _ask(pinged, requested_expiry="60")
    local.clock.forward(MINUTE)
    local.services.sweeper.round()
    local.deliver()
    assert person.call("POST", f"/api/approvals/{approval.id}/retry").status == 200
    local.deliver()
    assert _bodies(far) == []
    assert pinged.poll(handle).json["retry"] == "wanted"


@pytest.mark.parametrize("mode", ["ping", "push"])
def test_where_nobody_is_told_apart_the_end_of_a_phantom_is_told_like_any_other(
    template, open_local, far, mode
):
    """NG-015: silence would tell an agent that it asked nobody."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    asked = AgentChanges(delivery=mode, notification_endpoint=far.url())
    local.desk.agents.update(agent.id, asked, by=BY)
    for hint in ("ana", "nobody"):
        agent.ask(client_notification_token=TOKEN, login_hint=hint, requested_expiry="60")
    local.clock.forward(MINUTE)
    local.services.sweeper.round()
    local.deliver()
    bodies = _bodies(far)
    assert len({body.pop("auth_req_id") for body in bodies}) == len(bodies)
    assert bodies == ([bodies[0]] * 2 if mode == "push" else [])


def test_a_withdrawn_request_is_pinged(pinged, person, local, far):
    """After an approval too: what was true at the first ping is true no more."""
    _, approval = _ask(pinged)
    person.approve(approval.id)
    local.deliver()
    with local.services.store.write() as tx:
        withdraw(tx, [tx.approvals.get(approval.id)], reason="policy_changed", actor=BY)
    local.deliver()
    assert len(far.got) == 2
    assert _kept(local, approval) == (None, None)


def test_an_agent_that_was_stopped_is_told_nothing(pushed, person, local, far):
    """And nothing is kept for it."""
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.desk.agents.disable(pushed.id, by=BY)
    local.deliver()
    assert (far.got, local.stored(approval.id).state) == ([], State.CANCELLED)
    assert _kept(local, approval) == (None, None)


def test_an_agent_that_was_deleted_is_told_nothing(pinged, person, local, far):
    """There is nobody."""
    _, approval = _ask(pinged)
    person.deny(approval.id)
    local.desk.agents.delete(pinged.id, by=BY)
    local.deliver()
    assert far.got == []


def test_an_agent_that_polls_by_now_is_called_no_more(pinged, person, local, far):
    """It gets its answer as it wants it today."""
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    local.desk.agents.update(pinged.id, AgentChanges(delivery="poll"), by=BY)
    local.deliver()
    assert (far.got, pinged.poll(handle).status) == ([], 200)


def test_a_push_brings_the_tokens(pushed, person, local, far):
    """CIBA 10.3.1: the answer of the token endpoint with the handle, and both hashes hold."""
    handle, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    (body,) = _bodies(far)
    claims = local.claims(body["id_token"], "JWT")
    assert body["auth_req_id"] == claims[AUTH_REQ_ID] == handle
    assert claims["at_hash"] == tokens.at_hash(body["access_token"], "ES256")
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert local.claims(body["access_token"])["sub"] == person.user.id
    assert far.got[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert local.stored(approval.id).state is State.REDEEMED
    assert _kept(local, approval) == (None, None)


def test_who_is_pushed_to_does_not_poll(pushed, agent, local):
    """CIBA 11: neither while it is registered so, nor for what was asked then."""
    answered = pushed.ask(client_notification_token=TOKEN)
    assert "interval" not in answered.json
    handle = answered.json["auth_req_id"]
    assert pushed.poll(handle).refusal == (400, "unauthorized_client")
    assert pushed.poll("unknown").refusal == (400, "unauthorized_client")
    local.desk.agents.update(agent.id, AgentChanges(delivery="poll"), by=BY)
    assert agent.poll(handle).refusal == (400, "unauthorized_client")


def test_a_push_that_fails_comes_again_with_the_same_tokens(pushed, person, local, far):
    """NG-008: one token set for one approval; what is left of its life is told."""
    far.behaviour = answer(503)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    for pause in (1, 2, 4):
        local.deliver()
        local.clock.forward(pause * SECOND)
    far.behaviour = answer(204)
    local.deliver()
    first, *_, last = _bodies(far)
    assert first["access_token"] == last["access_token"]
    assert (first["expires_in"], last["expires_in"], len(far.got)) == (300, 293, 4)
    assert len(local.desk.entries("token.issued")) == 1
    assert (_lost(local), _kept(local, approval)) == ([], (None, None))


def test_a_push_that_comes_too_late_says_that_it_failed(pushed, person, local, far):
    """CIBA 12: no other tokens are made, the record says so once, and the agent may ask again."""
    far.behaviour = answer(503)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    for _ in range(2):
        local.clock.forward(6 * MINUTE)
        local.services.sweeper.tidy()
        local.deliver()
    assert [body.get("error") for body in _bodies(far)] == [
        None,
        "transaction_failed",
        "transaction_failed",
    ]
    assert _lost(local) == ["the tokens expired first"]
    assert len(local.desk.entries("token.issued")) == 1


def test_tokens_that_were_revoked_meanwhile_are_not_pushed(pushed, person, local, far):
    """What was taken back is not sent."""
    far.behaviour = answer(503)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    with local.services.store.write() as tx:
        tx.delegations.revoke_user(person.user.id, tx.now)
    local.clock.forward(SECOND)
    local.deliver()
    assert _bodies(far)[-1]["error"] == "transaction_failed"


def test_a_refusal_of_the_receiver_ends_a_push_on_the_record(pushed, person, local, far):
    """CB-164: no second try; the operator's hook hears of it."""
    far.behaviour = answer(401)
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.deliver()
    local.clock.forward(MINUTE)
    assert local.deliver() == 0
    assert _lost(local) == ["status 401"]
    assert local.messages()[-1]["event"] == "alarm.callback_lost"
    assert (len(far.got), _kept(local, approval)) == (1, (None, None))


def test_a_lost_ping_loses_no_answer(pinged, person, local, far):
    """CB-165: the agent finds it by polling."""
    far.behaviour = answer(403)
    handle, approval = _ask(pinged)
    person.approve(approval.id)
    local.deliver()
    assert _lost(local) == ["status 403"]
    assert pinged.poll(handle).status == 200


def test_the_loss_of_a_call_about_nothing_is_nothing(local):
    """A message may outlive what it was about."""
    calls = callbacks.Callbacks(local.services.store, local.services.secrets, None)
    message = json.dumps({"approval": "sayso_ap_gone", "event": "approval.decided"})
    with local.services.store.write() as tx:
        calls.lost(tx, message, "x")
        calls.arrived(tx, message)
    assert (calls.push(message), calls.ping(message), _lost(local)) == (None, None, [])


def test_a_denial_is_pushed_as_its_error(pushed, person, local, far):
    """CIBA 12, with all that a poll would have been told."""
    handle, approval = _ask(pushed)
    person.deny(approval.id, code="wrong_details", note="too much")
    local.deliver()
    (body,) = _bodies(far)
    told = {name: body[name] for name in ("auth_req_id", "error", "reason", "note")}
    assert told == {
        "auth_req_id": handle,
        "error": "access_denied",
        "reason": "denied",
        "note": "too much",
    }


def test_an_expiry_is_pushed(pushed, local, far):
    """Who may not poll would never learn of it."""
    _ask(pushed, requested_expiry="60")
    local.clock.forward(MINUTE)
    local.services.sweeper.round()
    local.deliver()
    (body,) = _bodies(far)
    assert (body["error"], body["reason"]) == ("expired_token", "undeliverable")


def test_what_was_tightened_before_the_push_wins(pushed, person, local, far):
    """The tokens are made when they leave, and not if the agent may not have them any more."""
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.desk.agents.update(pushed.id, AgentChanges(scopes=("payments:transfer",)), by=BY)
    local.deliver()
    assert [body["error"] for body in _bodies(far)] == ["access_denied"]
    assert local.stored(approval.id).state is State.CANCELLED
    assert local.desk.entries("token.issued") == []


def test_an_approval_that_nobody_could_push_in_time_expires(pushed, person, local, far):
    """A worker that comes back late makes no tokens of it."""
    _, approval = _ask(pushed, requested_expiry="60")
    person.approve(approval.id)
    local.clock.forward(2 * MINUTE)
    local.deliver()
    local.services.sweeper.round()
    local.deliver()
    assert [body["error"] for body in _bodies(far)] == ["expired_token"]
    assert local.stored(approval.id).reason == "not_redeemed"


def test_pushed_tokens_are_bound_to_the_key_that_asked(called, person, local, far):
    """CB-173: the proof is made where there is a request, and a client that must prove one does."""
    bound = called("push", dpop_bound=True)
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
    person.approve(local.behind(answered.json["auth_req_id"]).id)
    local.deliver()
    (body,) = _bodies(far)
    assert body["token_type"] == "DPoP"
    assert local.claims(body["access_token"])["cnf"] == {
        "jkt": decisions.thumbprint(person.session.jwk)
    }


def test_a_duty_to_prove_that_came_later_counts(called, person, local, far):
    """CB-173: a request that proved no key brings no bearer token to who must prove one by now."""
    pushed = called("push")
    _, approval = _ask(pushed)
    person.approve(approval.id)
    local.desk.agents.update(pushed.id, AgentChanges(dpop_bound=True), by=BY)
    local.deliver()
    local.deliver()
    assert [body["error"] for body in _bodies(far)] == ["access_denied"]
    assert local.stored(approval.id).reason == "policy_changed"


def test_without_a_duty_pushed_tokens_are_bearer_tokens(pushed, local):
    """Nothing is bound to nothing."""
    handle, _ = _ask(pushed)
    assert local.behind(handle).jkt is None


def test_hashes_of_handles_stay_what_they_were(pinged, local):
    """The message in the outbox names the approval, never the handle."""
    handle, approval = _ask(pinged)
    assert local.behind(handle).auth_req_hash == hashlib.sha256(handle.encode()).digest()
    assert approval.delivery == "ping"
