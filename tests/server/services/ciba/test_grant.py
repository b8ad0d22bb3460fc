"""The CIBA grant: at most one token set per auth_req_id, and the error of each refusal."""

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN, GRANT_CIBA
from server.services.clients.agent_forms import AgentChanges
from server.storage.approvals.approvals import Approvals
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.builders.installation import BY, PAY, register_agent
from tests.support.builders.site import altered
from tests.support.clients.agent import PAYMENT_DETAILS

INVALID_GRANT = (400, "invalid_grant")


class ScriptedHub:
    """A hub on which each wait runs one step of a script, so that no test really waits."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.ending = False
        self.woken = []

    @contextmanager
    def hold(self, topic):
        """Yield the hub itself as the event."""
        self.topic = topic
        yield self

    def wake(self, topic):
        """Record the topic."""
        self.woken.append(topic)

    def clear(self):
        """Do nothing."""

    def wait(self, _timeout):
        """Run the next step; after the last one, the process ends."""
        if self.steps:
            self.steps.pop(0)()
        else:
            self.ending = True


@pytest.fixture
def held_poll(local, agent):
    """Polls with `Prefer: wait` while the steps of a script run."""

    def poll(handle, *steps):
        hub = ScriptedHub(*steps)
        endpoint = local.site.tokens.endpoint
        grant = replace(endpoint.for_agents[GRANT_CIBA], hub=hub)
        grants = {**endpoint.for_agents, GRANT_CIBA: grant}
        tokens = altered(local.site.tokens, endpoint=replace(endpoint, for_agents=grants))
        site = replace(local.site, tokens=tokens)
        scripted_agent = replace(agent, local=replace(local, site=site))
        return scripted_agent.poll(handle, prefer="wait=30"), hub

    return poll


def _update(local, **changes):
    local.admin.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def _error(answer):
    return answer.json["error"], answer.json.get("reason")


def test_a_pending_response_states_whether_the_person_has_seen_the_request(agent, person, local):
    """CIBA 11: `seen` is an extension member of the error response."""
    handle, approval = agent.request_approval()
    local.clock.forward(5 * SECOND)
    assert agent.poll(handle).json["seen"] is False
    person.show(approval.id)
    local.clock.forward(5 * SECOND)
    pending = agent.poll(handle)
    assert pending.refusal == (400, "authorization_pending")
    assert pending.json["seen"] is True


def test_each_early_poll_adds_five_seconds_up_to_thirty(agent, local):
    """CIBA 7.3, 11: the interval is the time between two polls, so the first is never early."""
    handle, _ = agent.request_approval()
    intervals = [agent.poll(handle).json.get("interval") for _ in range(7)]
    assert intervals == [None, 10, 15, 20, 25, 30, 30]
    local.clock.forward(29 * SECOND)
    assert agent.poll(handle).json["error"] == "slow_down"
    local.clock.forward(30 * SECOND)
    assert agent.poll(handle).json["error"] == "authorization_pending"


def test_the_polling_interval_is_measured_at_arrival(agent, local):
    """Time in the server's queue counts neither for nor against the client."""
    handle, _ = agent.request_approval()
    arrived = local.clock.now() + 5 * SECOND
    local.clock.forward(20 * SECOND)
    form = {"grant_type": GRANT_CIBA, "auth_req_id": handle, **agent.credentials}
    pending, slow = "authorization_pending", "slow_down"
    for at, error in ((arrived, pending), (arrived + 4_000, slow), (arrived + 13_600, pending)):
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = local.send("POST", "/token", headers=headers, body=body, at=at)
        assert answer.json["error"] == error


def test_an_approved_request_yields_one_token_set(agent, person, local):
    """The response is complete, and its claims name the agent, the person and the resource."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    answer = agent.poll(handle)
    assert (answer.status, set(answer.json)) == (
        200,
        {"access_token", "token_type", "expires_in", "id_token", "scope", "fingerprint"},
    )
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "openid payments:read")
    assert answer.json["fingerprint"] == decisions.fingerprint(approval.action_digest)
    claims = local.claims(answer.json["access_token"])
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (person.user.id, agent.id, PAY)
    assert (claims["act"]["sub"], claims["scope"]) == (agent.id, "payments:read")
    assert claims["exp"] - claims["iat"] == answer.json["expires_in"] == 300
    assert local.stored_approval(approval.id).state is State.REDEEMED


@pytest.mark.parametrize(
    ("ask", "acr", "amr"),
    [
        ("request_approval", ACR_SIGNED, ["swk"]),
        ("request_payment", ACR_SIGNED_PIN, ["swk", "pin"]),
    ],
)
def test_the_tokens_state_the_ceremony_of_the_approval(agent, person, local, ask, acr, amr):
    """The acr and amr claims distinguish a confirmation from a PIN."""
    handle, approval = getattr(agent, ask)()
    person.approve(approval.id)
    answer = agent.poll(handle).json
    for token, typ in (("access_token", "at+jwt"), ("id_token", "JWT")):
        claims = local.claims(answer[token], typ)
        assert (claims["acr"], claims["amr"]) == (acr, amr)
        assert claims["auth_time"] == local.clock.now() // 1000


@pytest.mark.parametrize(
    ("ask", "details"), [("request_approval", None), ("request_payment", PAYMENT_DETAILS)]
)
def test_the_access_token_contains_the_approved_action(agent, person, local, ask, details):
    """A resource can tell a session from a single action, and can check the action."""
    handle, approval = getattr(agent, ask)()
    person.approve(approval.id)
    answer = agent.poll(handle).json
    claims = local.claims(answer["access_token"])
    assert claims["approval"] == {
        "id": approval.id,
        "action_digest": approval.action_digest,
        "granted_digest": approval.action_digest,
        "single_use": details is not None,
    }
    assert answer.get("authorization_details") == claims.get("authorization_details") == details


def test_an_action_without_a_scope_yields_a_token_without_a_scope(agent, person, local):
    """The token is valid only for its authorization details."""
    handle, approval = agent.request_payment(scope="openid")
    person.approve(approval.id)
    answer = agent.poll(handle).json
    assert answer["scope"] == "openid"
    assert "scope" not in local.claims(answer["access_token"])


def test_redeeming_writes_an_entry_an_event_and_a_delegation(agent, person, local):
    """A token without a delegation could not be found and revoked."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    token = agent.poll(handle).json["access_token"]
    claims = local.claims(token)
    (entry,) = local.admin.entries("token.issued")
    assert (entry["facts"]["jti"], entry["approval_id"]) == (claims["jti"], approval.id)
    assert (entry["action"], entry["posture"]) == (approval.action_digest, ACR_SIGNED)
    assert local.admin.events(person.user)[-1] == "approval.redeemed"
    with local.services.store.read() as view:
        delegation = view.delegations.get(claims["jti"])
    assert (delegation.client_id, delegation.user_id) == (agent.id, person.user.id)
    assert delegation.expires_at == claims["exp"] * 1000


def test_reusing_an_auth_req_id_is_refused_and_raises_one_alarm(agent, person, local):
    """Repeated reuse within ten minutes raises one alarm, in the webhook and the audit log."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    agent.poll(handle)
    assert [agent.poll(handle).refusal for _ in range(3)] == [INVALID_GRANT] * 3
    (entry,) = local.admin.entries("handle.reused")
    assert (entry["approval_id"], entry["agent_id"]) == (approval.id, agent.id)
    alarms = [message for message in local.messages() if message["event"] == "alarm.handle_reused"]
    assert [(message["approval"], message["agent"]) for message in alarms] == [
        (approval.id, agent.id)
    ]
    local.clock.forward(10 * MINUTE)
    agent.poll(handle)
    assert len(local.admin.entries("handle.reused")) == 2


def test_the_same_idempotency_key_returns_the_same_response_for_a_minute(agent, person, local):
    """The key proves that the same program polls, so even a late retry raises no alarm."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    first = agent.poll(handle, idempotency_key="k")
    local.clock.forward(MINUTE - 1)
    assert agent.poll(handle, idempotency_key="k").json == first.json
    assert local.admin.entries("handle.reused") == []
    assert len(local.admin.entries("token.issued")) == 1
    local.clock.forward(1)
    assert agent.poll(handle, idempotency_key="k").refusal == INVALID_GRANT
    with local.services.store.write() as tx:
        assert tx.approvals.delete_expired_answers(tx.now) == 1
    assert agent.poll(handle, idempotency_key="k").refusal == INVALID_GRANT
    assert local.admin.entries("handle.reused") == []
    assert agent.poll(handle, idempotency_key="other").refusal == INVALID_GRANT
    assert len(local.admin.entries("handle.reused")) == 1


@pytest.mark.parametrize(("first", "again"), [("k", "other"), ("k", None), (None, "k")])
def test_a_different_idempotency_key_does_not_return_the_response(
    agent, person, local, first, again
):
    """A retry must send the idempotency key of the first call."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    keys = [{} if key is None else {"idempotency_key": key} for key in (first, again)]
    assert agent.poll(handle, **keys[0]).status == 200
    assert agent.poll(handle, **keys[1]).refusal == INVALID_GRANT
    assert len(local.admin.entries("handle.reused")) == 1


def test_the_response_stored_for_retries_is_sealed(agent, person, local):
    """The database contains no readable token."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    answer = agent.poll(handle, idempotency_key="k")
    stored_answer = local.stored_approval(approval.id).answer
    assert answer.json["access_token"].encode() not in stored_answer
    assert local.services.secrets.open(f"answer:{approval.id}", stored_answer).startswith(b"{")


def test_a_stored_response_is_not_returned_after_its_user_was_disabled(agent, person, local):
    """The retry gets no tokens and raises no alarm."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    agent.poll(handle, idempotency_key="k")
    local.admin.users.disable("ana", by=BY)
    assert agent.poll(handle, idempotency_key="k").refusal == INVALID_GRANT
    assert local.admin.entries("handle.reused") == []


def test_a_stored_response_is_not_returned_after_its_token_was_revoked(agent, person, local):
    """The retry gets no tokens and raises no alarm."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    assert agent.poll(handle, idempotency_key="k").status == 200
    with local.services.store.write() as tx:
        tx.delegations.revoke_client(agent.id, tx.now)
    assert agent.poll(handle, idempotency_key="k").refusal == INVALID_GRANT
    assert local.admin.entries("handle.reused") == []


def test_no_token_is_issued_if_permissions_were_narrowed_after_the_approval(agent, person, local):
    """The request is canceled. Only the audit log has the reason policy_changed."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    _update(local, scopes=("payments:transfer",))
    assert _error(agent.poll(handle)) == ("access_denied", "cancelled")
    stored = local.stored_approval(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "policy_changed")
    assert local.admin.entries("token.issued") == []
    (entry,) = local.admin.entries("approval.cancelled")
    assert (entry["actor"], entry["cause"]) == ("system", "policy_changed")


def test_a_denial_returns_its_code_note_and_retry_hint(agent, person):
    """CIBA 11: a denial is access_denied with extension members."""
    handle, approval = agent.request_approval()
    person.deny(approval.id, "wrong_details", note="Use the new account")
    answer = agent.poll(handle)
    assert answer.refusal == (400, "access_denied")
    assert {name: answer.json[name] for name in ("reason", "deny_code", "note", "retry")} == {
        "reason": "denied",
        "deny_code": "wrong_details",
        "note": "Use the new account",
        "retry": "with_changes",
    }


def test_a_denial_without_a_note_has_no_note_member(agent, person):
    """Members without a value are omitted."""
    handle, approval = agent.request_approval()
    person.deny(approval.id)
    assert "note" not in agent.poll(handle).json


def test_the_reason_of_an_expired_request_states_whether_it_was_seen(agent, person, local):
    """Neither case is reported as a denial."""
    unseen, _ = agent.request_approval(requested_expiry="60")
    seen, approval = agent.request_approval(requested_expiry="60")
    person.call("GET", "/api/approvals")
    person.show(approval.id)
    local.clock.forward(MINUTE)
    assert _error(agent.poll(unseen)) == ("expired_token", "expired_unseen")
    assert _error(agent.poll(seen)) == ("expired_token", "expired_seen")


def test_an_expired_request_of_a_person_without_devices_has_the_reason_no_device(
    agent, person, local
):
    """The reason tells the agent that sending the request again would not help."""
    handle, _ = agent.request_approval(requested_expiry="60")
    assert person.call("DELETE", "/api/devices/self").status == 204
    local.clock.forward(MINUTE)
    assert _error(agent.poll(handle)) == ("expired_token", "no_device")


def test_with_hidden_users_a_missing_device_is_reported_as_expired_unseen(open_local, template):
    """The reason no_device would reveal that the person exists."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    handle, approval = agent.request_approval(requested_expiry="60")
    person.call("DELETE", "/api/devices/self")
    local.clock.forward(MINUTE)
    assert _error(agent.poll(handle)) == ("expired_token", "expired_unseen")
    assert local.stored_approval(approval.id).reason == "no_device"


def test_an_approval_given_just_before_expiry_can_be_redeemed_for_thirty_seconds(
    agent, person, local
):
    """After thirty seconds the request expires, although it was approved."""
    first, first_approval = agent.request_approval(requested_expiry="60")
    second, second_approval = agent.request_approval(requested_expiry="60")
    local.clock.forward(MINUTE - 1)
    person.approve(first_approval.id)
    person.approve(second_approval.id)
    local.clock.forward(30 * SECOND)
    assert agent.poll(first).status == 200
    local.clock.forward(1)
    late = agent.poll(second)
    assert _error(late) == ("expired_token", "expired_seen")
    assert "nobody answered" not in late.json["error_description"]
    assert "It was approved" in late.json["error_description"]
    assert local.stored_approval(second_approval.id).reason == "not_redeemed"


def test_a_cancelled_request_returns_access_denied(agent, person, local):
    """The agent does not learn which change canceled the request."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    local.admin.users.disable("ana", by=BY)
    assert _error(agent.poll(handle)) == ("access_denied", "cancelled")


def test_the_auth_req_id_of_another_agent_is_treated_as_unknown(agent, person, local):
    """The response does not reveal the request, which its own agent can still redeem."""
    registration = register_agent(local.admin, "other", auth_method="client_secret_post")
    other = replace(agent, id=registration.agent.id, secret=registration.secret)
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    stolen, unknown = other.poll(handle), other.poll("sayso_ar_nothing")
    assert stolen.refusal == INVALID_GRANT
    assert stolen.body == unknown.body
    assert agent.poll(handle).status == 200


def test_a_disabled_agent_gets_no_tokens(agent, person, local):
    """The error is unauthorized_client, and no token is issued."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    local.admin.agents.disable("invoice-bot", by=BY)
    assert agent.poll(handle).refusal == (400, "unauthorized_client")
    assert local.admin.entries("token.issued") == []


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"authorization_details": '[{"type":"other"}]'}, "invalid_authorization_details"),
    ],
)
def test_a_poll_with_a_different_resource_or_details_is_refused(agent, person, local, form, error):
    """RFC 8707 2.2, RFC 9396 6: a correct poll can redeem the request afterward."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    assert agent.poll(handle, form).refusal == (400, error)
    assert local.stored_approval(approval.id).state is State.APPROVED
    assert agent.poll(handle, {"resource": PAY}).status == 200


@pytest.mark.parametrize("resource", [PAY, f"{PAY}/"])
def test_a_poll_may_repeat_the_resource_and_details_of_the_request(agent, person, resource):
    """The resource may have a trailing slash."""
    handle, approval = agent.request_payment(resource=resource)
    person.approve(approval.id)
    repeated = {"authorization_details": approval.details, "resource": resource}
    assert agent.poll(handle, repeated).status == 200


def test_a_poll_without_an_auth_req_id_is_an_invalid_request(agent):
    """The auth_req_id is the only required parameter of this grant."""
    assert agent.poll("").refusal == (400, "invalid_request")


def test_a_poll_that_loses_the_race_for_the_tokens_gets_none(agent, person, local, monkeypatch):
    """Another worker redeems the request after this poll looked it up."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    by_handle = Approvals.by_handle

    def find_and_redeem(rows, handle_hash):
        approval = by_handle(rows, handle_hash)
        rows.transition(approval, State.REDEEMED, now=local.clock.now())
        return approval

    monkeypatch.setattr(Approvals, "by_handle", find_and_redeem)
    assert agent.poll(handle).refusal == INVALID_GRANT
    assert local.admin.entries("token.issued") == []


def test_a_held_poll_returns_when_the_person_decides(agent, person, held_poll):
    """A held poll listens to its own approval and ends an older held poll for it."""
    handle, approval = agent.request_approval()
    answer, hub = held_poll(handle, lambda: None, lambda: person.approve(approval.id))
    assert answer.status == 200
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert hub.woken == [hub.topic] == [f"approval {approval.id}"]


def test_a_held_poll_returns_pending_when_the_server_stops(agent, held_poll):
    """The error is not slow_down, because the client did not poll too early."""
    handle, _ = agent.request_approval()
    answer, hub = held_poll(handle)
    assert hub.ending
    assert answer.refusal == (400, "authorization_pending")
    assert answer.json["seen"] is False


def test_a_newer_held_poll_ends_the_older_one(agent, local, held_poll):
    """The older poll returns immediately, without tokens."""
    handle, approval = agent.request_approval()

    def start_newer_poll():
        with local.services.store.write() as tx:
            tx.approvals.record_poll(approval.id, now=tx.now, interval_ms=5_000, holder="newer")

    answer, hub = held_poll(handle, start_newer_poll)
    assert not hub.ending
    assert answer.refusal == (400, "authorization_pending")


def test_a_plain_poll_ends_a_held_poll(agent, local, held_poll):
    """The held poll returns immediately, because only the latest poll counts."""
    handle, _ = agent.request_approval()
    local.clock.forward(5 * SECOND)
    answer, hub = held_poll(handle, lambda: agent.poll(handle))
    assert not hub.ending
    assert answer.refusal == (400, "authorization_pending")


def test_a_held_poll_that_was_replaced_does_not_redeem(agent, person, local, held_poll):
    """Only the newest poll may get the tokens."""
    handle, approval = agent.request_approval()

    def start_newer_poll_and_approve():
        with local.services.store.write() as tx:
            tx.approvals.record_poll(approval.id, now=tx.now, interval_ms=5_000, holder="newer")
        person.approve(approval.id)

    answer, _ = held_poll(handle, start_newer_poll_and_approve)
    assert answer.refusal == (400, "authorization_pending")
    assert local.stored_approval(approval.id).state is State.APPROVED
    assert agent.poll(handle).status == 200


def test_a_held_poll_raises_no_alarm_if_another_poll_gets_the_tokens(
    agent, person, local, held_poll
):
    """Both polls come from the same client, so the auth_req_id was not stolen."""
    handle, approval = agent.request_approval()

    def approve_and_redeem():
        person.approve(approval.id)
        assert agent.poll(handle).status == 200

    answer, _ = held_poll(handle, approve_and_redeem)
    assert answer.refusal == INVALID_GRANT
    assert local.admin.entries("handle.reused") == []


def test_a_held_poll_returns_when_the_request_expires(agent, local, held_poll):
    """The poll returns even if the sweeper has not run."""
    handle, _ = agent.request_approval(requested_expiry="60")
    answer, hub = held_poll(handle, lambda: local.clock.forward(MINUTE))
    assert not hub.ending
    assert _error(answer) == ("expired_token", "undeliverable")


@pytest.mark.parametrize("verb", ["disable", "delete"])
def test_a_held_poll_returns_when_its_agent_is_disabled_or_deleted(agent, local, held_poll, verb):
    """The poll returns immediately, without tokens."""
    handle, _ = agent.request_approval()
    disable_or_delete = getattr(local.admin.agents, verb)
    answer, hub = held_poll(handle, lambda: disable_or_delete("invoice-bot", by=BY))
    assert not hub.ending
    assert answer.json["error"] in {"unauthorized_client", "invalid_client"}


def test_a_poll_is_held_no_longer_than_its_prefer_header_requests(agent, held_poll, monkeypatch):
    """The response is then authorization_pending."""
    moments = iter([100.0, 100.0, 130.0])
    fake_time = SimpleNamespace(monotonic=lambda: next(moments))
    monkeypatch.setattr("server.services.ciba.grant.time", fake_time)
    handle, _ = agent.request_approval()
    answer, hub = held_poll(handle, lambda: None)
    assert not hub.ending
    assert answer.refusal == (400, "authorization_pending")


def test_a_poll_for_a_decided_request_is_not_held(agent, person, held_poll):
    """The tokens are returned immediately."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    answer, hub = held_poll(handle)
    assert answer.status == 200
    assert hub.woken == []


def test_a_held_poll_for_the_auth_req_id_of_another_agent_is_refused_immediately(
    agent, local, held_poll
):
    """Waiting would reveal that the request exists."""
    registration = register_agent(local.admin, "other", auth_method="client_secret_post")
    answer = local.post_form(
        "/token",
        {
            "grant_type": GRANT_CIBA,
            "auth_req_id": agent.request_approval()[0],
            "client_id": registration.agent.id,
            "client_secret": registration.secret,
        },
        {"prefer": "wait=30"},
    )
    assert answer.refusal == INVALID_GRANT
    unknown, hub = held_poll("sayso_ar_nothing")
    assert unknown.refusal == INVALID_GRANT
    assert hub.woken == []


def test_requests_for_two_people_are_independent(agent, person, local):
    """One person's decision does not affect the other person's request."""
    ben = new_person(local, "ben")
    for_ana, anas_approval = agent.request_approval()
    for_ben, bens_approval = agent.request_approval(login_hint="ben")
    assert person.call("GET", f"/api/approvals/{bens_approval.id}").refusal == (404, "not_found")
    ben.approve(bens_approval.id)
    assert agent.poll(for_ana).json["error"] != "invalid_grant"
    token = agent.poll(for_ben).json["access_token"]
    assert local.claims(token)["sub"] == ben.user.id
    assert local.stored_approval(anas_approval.id).state is State.PENDING


def test_a_low_risk_request_can_be_redeemed_almost_a_day_later(agent, person, local):
    """The lifetime of the token starts at the redemption."""
    handle, approval = agent.request_approval()
    local.clock.forward(DAY - MINUTE)
    person.refresh()
    person.approve(approval.id)
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["exp"] == local.clock.now() // 1000 + 300
