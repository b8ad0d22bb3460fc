"""Fetching the answer: at most one token set for each handle; every refusal in its words."""

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
from tests.support.builders.installation import BY, PAY, registered
from tests.support.builders.site import altered
from tests.support.clients.agent import PAYMENT_DETAILS

GONE = (400, "invalid_grant")


class ScriptedHub:
    """A hub whose every wait is one step of a script, so that nobody waits."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.ending = False
        self.woken = []

    @contextmanager
    def hold(self, topic):
        """The hub is its own event."""
        self.topic = topic
        yield self

    def wake(self, topic):
        """Somebody is told."""
        self.woken.append(topic)

    def clear(self):
        """Nothing is kept."""

    def wait(self, _timeout):
        """The next step happens; after the last one the process ends."""
        if self.steps:
            self.steps.pop(0)()
        else:
            self.ending = True


@pytest.fixture
def held(local, agent):
    """Polls that prefer to wait, while the steps of a script happen."""

    def poll(handle, *steps):
        hub = ScriptedHub(*steps)
        endpoint = local.site.tokens.endpoint
        grant = replace(endpoint.for_agents[GRANT_CIBA], hub=hub)
        grants = {**endpoint.for_agents, GRANT_CIBA: grant}
        tokens = altered(local.site.tokens, endpoint=replace(endpoint, for_agents=grants))
        site = replace(local.site, tokens=tokens)
        there = replace(agent, local=replace(local, site=site))
        return there.poll(handle, prefer="wait=30"), hub

    return poll


def _update(local, **changes):
    local.desk.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def _told(answer):
    return answer.json["error"], answer.json.get("reason")


def test_a_pending_request_says_whether_the_person_has_seen_it(agent, person, local):
    """CIBA 11, with one extension member."""
    handle, approval = agent.asked()
    local.clock.forward(5 * SECOND)
    assert agent.poll(handle).json["seen"] is False
    person.show(approval.id)
    local.clock.forward(5 * SECOND)
    pending = agent.poll(handle)
    assert pending.refusal == (400, "authorization_pending")
    assert pending.json["seen"] is True


def test_each_early_poll_adds_five_seconds_up_to_half_a_minute(agent, local):
    """CIBA 7.3, 11: the interval is counted between polls, so the first one is never early."""
    handle, _ = agent.asked()
    told = [agent.poll(handle).json.get("interval") for _ in range(7)]
    assert told == [None, 10, 15, 20, 25, 30, 30]
    local.clock.forward(29 * SECOND)
    assert agent.poll(handle).json["error"] == "slow_down"
    local.clock.forward(30 * SECOND)
    assert agent.poll(handle).json["error"] == "authorization_pending"


def test_a_poll_is_judged_by_when_it_arrived(agent, local):
    """Time that a request spent in our queue is not held against the client, nor for it."""
    handle, _ = agent.asked()
    arrived = local.clock.now() + 5 * SECOND
    local.clock.forward(20 * SECOND)
    form = {"grant_type": GRANT_CIBA, "auth_req_id": handle, **agent.credentials}
    pending, slow = "authorization_pending", "slow_down"
    for at, error in ((arrived, pending), (arrived + 4_000, slow), (arrived + 13_600, pending)):
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = local.send("POST", "/token", headers=headers, body=body, at=at)
        assert answer.json["error"] == error


def test_an_approved_request_gives_one_token_set(agent, person, local):
    """Access token, ID token, scope and fingerprint; agent, person and resource are named."""
    handle, approval = agent.asked()
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
    assert local.stored(approval.id).state is State.REDEEMED


@pytest.mark.parametrize(
    ("ask", "acr", "amr"),
    [("asked", ACR_SIGNED, ["swk"]), ("asked_payment", ACR_SIGNED_PIN, ["swk", "pin"])],
)
def test_the_tokens_say_how_the_person_answered(agent, person, local, ask, acr, amr):
    """A resource can tell a confirmation from a PIN, and a session from a single action."""
    handle, approval = getattr(agent, ask)()
    person.approve(approval.id)
    answer = agent.poll(handle).json
    for token, typ in (("access_token", "at+jwt"), ("id_token", "JWT")):
        claims = local.claims(answer[token], typ)
        assert (claims["acr"], claims["amr"]) == (acr, amr)
        assert claims["auth_time"] == local.clock.now() // 1000


@pytest.mark.parametrize(("ask", "details"), [("asked", None), ("asked_payment", PAYMENT_DETAILS)])
def test_the_access_token_carries_what_was_approved(agent, person, local, ask, details):
    """A resource can tell a session from a single action, and holds the action against it."""
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


def test_an_action_without_a_scope_gives_a_token_without_one(agent, person, local):
    """The details are all that it is good for."""
    handle, approval = agent.asked_payment(scope="openid")
    person.approve(approval.id)
    answer = agent.poll(handle).json
    assert answer["scope"] == "openid"
    assert "scope" not in local.claims(answer["access_token"])


def test_redeeming_is_an_entry_an_event_and_a_delegation(agent, person, local):
    """What was issued can be found, revoked and told."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    token = agent.poll(handle).json["access_token"]
    claims = local.claims(token)
    (entry,) = local.desk.entries("token.issued")
    assert (entry["facts"]["jti"], entry["approval_id"]) == (claims["jti"], approval.id)
    assert (entry["action"], entry["posture"]) == (approval.action_digest, ACR_SIGNED)
    assert local.desk.events(person.user)[-1] == "approval.redeemed"
    with local.services.store.read() as view:
        delegation = view.delegations.get(claims["jti"])
    assert (delegation.client_id, delegation.user_id) == (agent.id, person.user.id)
    assert delegation.expires_at == claims["exp"] * 1000


def test_a_second_poll_gets_nothing_and_is_an_alarm_once(agent, person, local):
    """Ten minutes of repeating are one alarm, to the hook and the log."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    agent.poll(handle)
    assert [agent.poll(handle).refusal for _ in range(3)] == [GONE] * 3
    (entry,) = local.desk.entries("handle.reused")
    assert (entry["approval_id"], entry["agent_id"]) == (approval.id, agent.id)
    alarms = [m for m in local.messages() if m["event"] == "alarm.handle_reused"]
    assert [(m["approval"], m["agent"]) for m in alarms] == [(approval.id, agent.id)]
    local.clock.forward(10 * MINUTE)
    agent.poll(handle)
    assert len(local.desk.entries("handle.reused")) == 2


def test_with_its_idempotency_key_a_client_gets_a_lost_answer_again_for_a_minute(
    agent, person, local
):
    """The very same tokens, no alarm, no second delegation."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    first = agent.poll(handle, idempotency_key="k")
    local.clock.forward(MINUTE - 1)
    assert agent.poll(handle, idempotency_key="k").json == first.json
    assert local.desk.entries("handle.reused") == []
    assert len(local.desk.entries("token.issued")) == 1
    local.clock.forward(1)
    assert agent.poll(handle, idempotency_key="k").refusal == GONE
    assert len(local.desk.entries("handle.reused")) == 1


@pytest.mark.parametrize(("first", "again"), [("k", "other"), ("k", None), (None, "k")])
def test_another_key_does_not_fetch_the_answer(agent, person, local, first, again):
    """Nor does none, nor one that comes too late."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    keys = [{} if key is None else {"idempotency_key": key} for key in (first, again)]
    assert agent.poll(handle, **keys[0]).status == 200
    assert agent.poll(handle, **keys[1]).refusal == GONE
    assert len(local.desk.entries("handle.reused")) == 1


def test_the_kept_answer_lies_sealed_in_the_database(agent, person, local):
    """Whoever reads the database finds no token."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    answer = agent.poll(handle, idempotency_key="k")
    kept = local.stored(approval.id).answer
    assert answer.json["access_token"].encode() not in kept
    assert local.services.secrets.open(f"answer:{approval.id}", kept).startswith(b"{")


def test_a_lost_answer_is_not_given_again_to_an_agent_whose_person_was_stopped(
    agent, person, local
):
    """The tighter rule wins; asking for it is no alarm."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    agent.poll(handle, idempotency_key="k")
    local.desk.users.disable("ana", by=BY)
    assert agent.poll(handle, idempotency_key="k").refusal == GONE
    assert local.desk.entries("handle.reused") == []


def test_a_token_that_was_revoked_is_not_given_again(agent, person, local):
    """Its kept answer would hand out what no longer counts."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    assert agent.poll(handle, idempotency_key="k").status == 200
    with local.services.store.write() as tx:
        tx.delegations.revoke_client(agent.id, tx.now)
    assert agent.poll(handle, idempotency_key="k").refusal == GONE
    assert local.desk.entries("handle.reused") == []


def test_a_ceiling_that_shrank_after_the_yes_gives_nothing(agent, person, local):
    """The request is withdrawn, with its reason in the record; the agent is told no more."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    _update(local, scopes=("payments:transfer",))
    assert _told(agent.poll(handle)) == ("access_denied", "cancelled")
    stored = local.stored(approval.id)
    assert (stored.state, stored.reason) == (State.CANCELLED, "policy_changed")
    assert local.desk.entries("token.issued") == []
    (entry,) = local.desk.entries("approval.cancelled")
    assert (entry["actor"], entry["cause"]) == ("system", "policy_changed")


def test_a_denial_says_why_and_what_to_do_next(agent, person):
    """CIBA 11: access_denied, with code, note and hint."""
    handle, approval = agent.asked()
    person.deny(approval.id, "wrong_details", note="Use the new account")
    answer = agent.poll(handle)
    assert answer.refusal == (400, "access_denied")
    assert {name: answer.json[name] for name in ("reason", "deny_code", "note", "retry")} == {
        "reason": "denied",
        "deny_code": "wrong_details",
        "note": "Use the new account",
        "retry": "with_changes",
    }


def test_a_denial_without_a_note_has_no_such_member(agent, person):
    """What is not there is left out."""
    handle, approval = agent.asked()
    person.deny(approval.id)
    assert "note" not in agent.poll(handle).json


def test_expired_is_not_denied_and_unseen_is_not_seen(agent, person, local):
    """An agent may ask again, and better so when nobody has looked."""
    unseen, _ = agent.asked(requested_expiry="60")
    seen, approval = agent.asked(requested_expiry="60")
    person.call("GET", "/api/approvals")
    person.show(approval.id)
    local.clock.forward(MINUTE)
    assert _told(agent.poll(unseen)) == ("expired_token", "expired_unseen")
    assert _told(agent.poll(seen)) == ("expired_token", "expired_seen")


def test_a_person_without_a_device_could_not_have_seen_it(agent, person, local):
    """The reason says so, because asking again would not help."""
    handle, _ = agent.asked(requested_expiry="60")
    assert person.call("DELETE", "/api/devices/self").status == 204
    local.clock.forward(MINUTE)
    assert _told(agent.poll(handle)) == ("expired_token", "no_device")


def test_where_unknown_users_are_hidden_nobody_lacks_a_device(open_local, template):
    """Only somebody who exists can."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    handle, approval = agent.asked(requested_expiry="60")
    person.call("DELETE", "/api/devices/self")
    local.clock.forward(MINUTE)
    assert _told(agent.poll(handle)) == ("expired_token", "expired_unseen")
    assert local.stored(approval.id).reason == "no_device"


def test_an_answer_of_the_last_moment_can_be_fetched_for_half_a_minute(agent, person, local):
    """After that it has expired, although it was approved."""
    first, one = agent.asked(requested_expiry="60")
    second, two = agent.asked(requested_expiry="60")
    local.clock.forward(MINUTE - 1)
    person.approve(one.id)
    person.approve(two.id)
    local.clock.forward(30 * SECOND)
    assert agent.poll(first).status == 200
    local.clock.forward(1)
    late = agent.poll(second)
    assert _told(late) == ("expired_token", "expired_seen")
    assert "nobody answered" not in late.json["error_description"]
    assert "It was approved" in late.json["error_description"]
    assert local.stored(two.id).reason == "not_redeemed"


def test_a_withdrawn_request_is_access_denied(agent, person, local):
    """The agent is not told which change it was."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    local.desk.users.disable("ana", by=BY)
    assert _told(agent.poll(handle)) == ("access_denied", "cancelled")


def test_another_agents_handle_is_like_one_that_does_not_exist(agent, person, local):
    """Word for word; and its owner can still fetch the answer."""
    given = registered(local.desk, "other", auth_method="client_secret_post")
    other = replace(agent, id=given.agent.id, secret=given.secret)
    handle, approval = agent.asked()
    person.approve(approval.id)
    stolen, unknown = other.poll(handle), other.poll("sayso_ar_nothing")
    assert stolen.refusal == GONE
    assert stolen.body == unknown.body
    assert agent.poll(handle).status == 200


def test_a_disabled_agent_gets_nothing(agent, person, local):
    """Not even the reason why its request ended."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    local.desk.agents.disable("invoice-bot", by=BY)
    assert agent.poll(handle).refusal == (400, "unauthorized_client")
    assert local.desk.entries("token.issued") == []


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"authorization_details": '[{"type":"other"}]'}, "invalid_authorization_details"),
    ],
)
def test_a_poll_does_not_ask_for_something_else_than_the_request(agent, person, local, form, error):
    """RFC 8707 2.2, RFC 9396 6; the answer is still there for who asks rightly."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    assert agent.poll(handle, form).refusal == (400, error)
    assert local.stored(approval.id).state is State.APPROVED
    assert agent.poll(handle, {"resource": PAY}).status == 200


def test_a_poll_may_repeat_what_was_asked(agent, person):
    """Details as they were sent."""
    handle, approval = agent.asked_payment()
    person.approve(approval.id)
    stored = {"authorization_details": approval.details, "resource": PAY}
    assert agent.poll(handle, stored).status == 200


def test_a_poll_without_a_handle_is_an_invalid_request(agent):
    """It is the one parameter of this grant."""
    assert agent.poll("").refusal == (400, "invalid_request")


def test_whoever_comes_second_gets_nothing(agent, person, local, monkeypatch):
    """Another worker redeemed between our look and our step; no second token set is made."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    look = Approvals.by_handle

    def overtaken(rows, handle_hash):
        found = look(rows, handle_hash)
        rows.transition(found, State.REDEEMED, now=local.clock.now())
        return found

    monkeypatch.setattr(Approvals, "by_handle", overtaken)
    assert agent.poll(handle).refusal == GONE
    assert local.desk.entries("token.issued") == []


def test_a_held_poll_answers_when_the_person_does(agent, person, held):
    """It listens to this approval, and tells an older poll of it to let go."""
    handle, approval = agent.asked()
    answer, hub = held(handle, lambda: None, lambda: person.approve(approval.id))
    assert answer.status == 200
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert hub.woken == [hub.topic] == [f"approval {approval.id}"]


def test_a_held_poll_ends_pending_when_the_process_ends(agent, held):
    """The client polls again, elsewhere; nothing is said of its pace."""
    handle, _ = agent.asked()
    answer, hub = held(handle)
    assert hub.ending
    assert answer.refusal == (400, "authorization_pending")
    assert answer.json["seen"] is False


def test_a_newer_held_poll_takes_the_place_of_the_older_one(agent, local, held):
    """One client, one held poll; the older one is answered at once and gets no token."""
    handle, approval = agent.asked()

    def newer():
        with local.services.store.write() as tx:
            tx.approvals.record_poll(approval.id, now=tx.now, interval_ms=5_000, holder="newer")

    answer, hub = held(handle, newer)
    assert not hub.ending
    assert answer.refusal == (400, "authorization_pending")


def test_a_plain_poll_takes_the_place_of_a_held_one(agent, local, held):
    """Whoever polls last is the client; the older call is answered at once."""
    handle, _ = agent.asked()
    local.clock.forward(5 * SECOND)
    answer, hub = held(handle, lambda: agent.poll(handle))
    assert not hub.ending
    assert answer.refusal == (400, "authorization_pending")


def test_a_held_poll_that_was_overtaken_takes_no_answer(agent, person, local, held):
    """The answer is for the newer poll, which is still waiting for it."""
    handle, approval = agent.asked()

    def overtaken():
        with local.services.store.write() as tx:
            tx.approvals.record_poll(approval.id, now=tx.now, interval_ms=5_000, holder="newer")
        person.approve(approval.id)

    answer, _ = held(handle, overtaken)
    assert answer.refusal == (400, "authorization_pending")
    assert local.stored(approval.id).state is State.APPROVED
    assert agent.poll(handle).status == 200


def test_a_held_poll_whose_answer_another_one_took_is_no_alarm(agent, person, local, held):
    """It is the same client, twice; one of the two has the tokens."""
    handle, approval = agent.asked()

    def taken():
        person.approve(approval.id)
        assert agent.poll(handle).status == 200

    answer, _ = held(handle, taken)
    assert answer.refusal == GONE
    assert local.desk.entries("handle.reused") == []


def test_a_held_poll_ends_when_the_request_does(agent, local, held):
    """By the clock, even when nobody sweeps."""
    handle, _ = agent.asked(requested_expiry="60")
    answer, hub = held(handle, lambda: local.clock.forward(MINUTE))
    assert not hub.ending
    assert _told(answer) == ("expired_token", "undeliverable")


@pytest.mark.parametrize("verb", ["disable", "delete"])
def test_a_held_poll_ends_when_its_agent_is_stopped(agent, local, held, verb):
    """At once, and without a token."""
    handle, _ = agent.asked()
    stop = getattr(local.desk.agents, verb)
    answer, hub = held(handle, lambda: stop("invoice-bot", by=BY))
    assert not hub.ending
    assert answer.json["error"] in {"unauthorized_client", "invalid_client"}


def test_a_poll_is_held_no_longer_than_it_said(agent, held, monkeypatch):
    """The client's patience is the limit; then it is pending."""
    moments = iter([100.0, 100.0, 130.0])
    watch = SimpleNamespace(monotonic=lambda: next(moments))
    monkeypatch.setattr("server.services.ciba.grant.time", watch)
    handle, _ = agent.asked()
    answer, hub = held(handle, lambda: None)
    assert not hub.ending
    assert answer.refusal == (400, "authorization_pending")


def test_a_held_poll_for_an_answer_that_is_there_is_not_held(agent, person, held):
    """Nobody waits for what has happened."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    answer, hub = held(handle)
    assert answer.status == 200
    assert hub.woken == []


def test_a_held_poll_of_another_agents_handle_is_refused_at_once(agent, local, held):
    """Being held tells nobody that a handle exists."""
    given = registered(local.desk, "other", auth_method="client_secret_post")
    answer = local.post_form(
        "/token",
        {
            "grant_type": GRANT_CIBA,
            "auth_req_id": agent.asked()[0],
            "client_id": given.agent.id,
            "client_secret": given.secret,
        },
        {"prefer": "wait=30"},
    )
    assert answer.refusal == GONE
    unknown, hub = held("sayso_ar_nothing")
    assert unknown.refusal == GONE
    assert hub.woken == []


def test_a_request_to_another_person_is_another_request(agent, person, local):
    """Nothing of one person's answer serves another."""
    ben = new_person(local, "ben")
    for_ana, one = agent.asked()
    for_ben, two = agent.asked(login_hint="ben")
    assert person.call("GET", f"/api/approvals/{two.id}").refusal == (404, "not_found")
    ben.approve(two.id)
    assert agent.poll(for_ana).json["error"] != "invalid_grant"
    token = agent.poll(for_ben).json["access_token"]
    assert local.claims(token)["sub"] == ben.user.id
    assert local.stored(one.id).state is State.PENDING


def test_a_redemption_after_a_day_of_waiting_is_for_low_risk_alone(agent, person, local):
    """A low request waits a day; its token lives five minutes from the redemption."""
    handle, approval = agent.asked()
    local.clock.forward(DAY - MINUTE)
    person.refresh()
    person.approve(approval.id)
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["exp"] == local.clock.now() // 1000 + 300
