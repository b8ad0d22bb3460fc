"""Asking: what becomes of a backchannel request, and what never does."""

import hashlib
import json

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN, GRANT_CIBA, GRANT_CLIENT_CREDENTIALS
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAY_SCOPES, registered
from tests.support.builders.site import PEER

SAFE = "https://safe.example"


@pytest.fixture
def counted(local):
    """How many requests there are."""

    def count() -> int:
        with local.services.store.read() as view:
            return len(view.approvals.search(state=None, agent_id=None, user_id=None, limit=100))

    return count


def _update(local, **changes):
    local.desk.agents.update("invoice-bot", AgentChanges(**changes), by=BY)


def test_the_acknowledgement_says_how_to_poll_and_what_the_person_will_see(agent, local):
    """CIBA 7.3; the fingerprint is that of the stored action."""
    answer = agent.ask()
    approval = local.behind(answer.json["auth_req_id"])
    assert answer.json == {
        "auth_req_id": answer.json["auth_req_id"],
        "expires_in": 86_400,
        "interval": 5,
        "fingerprint": decisions.fingerprint(approval.action_digest),
    }
    assert answer.json["auth_req_id"].startswith("sayso_ar_")
    assert approval.state is State.PENDING


def test_only_a_hash_of_the_handle_is_stored(agent, local):
    """Whoever reads the database cannot poll, and people see another id than agents."""
    handle, approval = agent.asked()
    assert approval.auth_req_hash == hashlib.sha256(handle.encode()).digest()
    for file in local.services.settings.data_dir.glob("sayso.db*"):
        assert handle.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("wanted", "seconds"), [(None, 600), ("60", 60), ("600", 600), ("99999", 600)]
)
def test_a_request_waits_as_long_as_its_risk_allows_or_shorter(agent, wanted, seconds):
    """`requested_expiry` shortens; it never lengthens."""
    answer = agent.ask_payment(requested_expiry=wanted)
    assert answer.json["expires_in"] == seconds


def test_what_is_approved_is_exactly_what_was_asked(agent, person):
    """The action text holds agent, user, resource, scope and details; its digest is signed."""
    _, approval = agent.asked_payment()
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
    _, again = agent.asked_payment()
    assert json.loads(again.action)["salt"] != salt


def test_the_person_is_told_who_asks_and_from_where(agent, person, local):
    """Owners and peer come from us, the message from the agent; only the first one is a first."""
    _, approval = agent.asked(binding_message="INV-2291 is due")
    shown = json.loads(approval.display)
    assert shown["agent"] == {
        "id": agent.id,
        "name": "invoice-bot",
        "owners": ["admin"],
        "first_request": True,
        "keys": [local.desk.agents.show(agent.id)[0].secrets[0].id],
        "through": [],
    }
    assert (shown["agent_says"], shown["asked_from"]) == ("INV-2291 is due", PEER)
    assert shown["user"] == {"id": person.user.id, "name": "ana"}
    _, second = agent.asked()
    assert json.loads(second.display)["agent"]["first_request"] is False


def test_asking_is_told_to_the_persons_screens_the_hook_and_the_log(agent, person, local):
    """One event, one message, one entry, in the unit of work that made the request."""
    before = len(local.desk.events(person.user))
    _, approval = agent.asked_payment()
    assert local.desk.events(person.user)[before:] == ["approval.requested"]
    assert local.messages()[-1] == {
        "event": "approval.requested",
        "at": local.clock.now(),
        "approval": approval.id,
        "agent": agent.id,
        "risk": "high",
        "kind": "action",
        "notify": True,
    }
    (entry,) = local.desk.entries("approval.requested")
    assert (entry["agent_id"], entry["subject"], entry["resource"]) == (
        agent.id,
        person.user.id,
        PAY,
    )
    assert (entry["action"], entry["posture"]) == (approval.action_digest, "high")


def test_an_agent_that_is_not_registered_for_ciba_may_not_ask(agent, local, counted):
    """CIBA 13: unauthorized_client."""
    _update(local, grant_types=(GRANT_CLIENT_CREDENTIALS,))
    assert agent.ask().refusal == (400, "unauthorized_client")
    assert counted() == 0


def test_a_stopped_agent_is_told_so_only_after_it_proved_who_it_is(agent, local, counted):
    """Others learn nothing from the refusal."""
    local.desk.agents.disable("invoice-bot", by=BY)
    refused = agent.ask()
    assert refused.refusal == (400, "unauthorized_client")
    assert refused.json["reason"] == "agent_disabled"
    assert agent.ask(client_secret="guess").refusal == (401, "invalid_client")
    assert counted() == 0


def test_the_same_idempotency_key_joins_the_request_that_it_made(agent, counted):
    """A repeated call after a lost answer asks nobody twice."""
    first = agent.ask({"idempotency-key": "k1"})
    assert agent.ask({"idempotency-key": "k1"}).json == first.json
    assert counted() == 1
    agent.ask({"idempotency-key": "k2"})
    agent.ask()
    assert counted() == 3


def test_a_joined_call_is_told_how_much_time_is_left(agent, local, counted):
    """And one whose request is over learns so at its next poll, without another request."""
    handle = agent.ask_payment(headers={"idempotency-key": "k"}).json["auth_req_id"]
    local.clock.forward(1)
    assert agent.ask_payment(headers={"idempotency-key": "k"}).json["expires_in"] == 600
    local.clock.forward(10 * MINUTE)
    over = agent.ask_payment(headers={"idempotency-key": "k"}).json
    assert (over["auth_req_id"], over["expires_in"]) == (handle, 1)
    assert agent.poll(handle).refusal == (400, "expired_token")
    assert counted() == 1


def test_a_call_joins_its_request_however_it_stands(agent, person, counted):
    """An agent that was restarted learns the answer that it missed, and asks nobody twice."""
    headers = {"idempotency-key": "k"}
    handle, approval = agent.asked(headers=headers)
    person.approve(approval.id)
    assert agent.ask(headers).json["auth_req_id"] == handle
    agent.poll(handle)
    assert agent.ask(headers).json["auth_req_id"] == handle
    assert agent.poll(handle).refusal == (400, "invalid_grant")
    other, denied = agent.asked(headers={"idempotency-key": "other"})
    person.deny(denied.id, code="too_broad")
    assert agent.ask({"idempotency-key": "other"}).json["auth_req_id"] == other
    assert agent.poll(other).json["deny_code"] == "too_broad"
    assert counted() == 2


def test_an_idempotency_key_is_not_good_for_another_request(agent, counted):
    """What differs is refused, not answered with something else."""
    agent.ask({"idempotency-key": "k"})
    refused = agent.ask({"idempotency-key": "k"}, binding_message="another")
    assert refused.refusal == (400, "invalid_request")
    assert counted() == 1


def test_idempotency_keys_of_two_agents_are_two_keys(agent, local, counted):
    """Nobody joins somebody else's request by guessing its key."""
    other = registered(local.desk, "other", auth_method="client_secret_post")
    mine = agent.ask({"idempotency-key": "k"}).json["auth_req_id"]
    theirs = agent.ask(
        {"idempotency-key": "k"}, client_id=other.agent.id, client_secret=other.secret
    ).json["auth_req_id"]
    assert mine != theirs
    assert counted() == 2


@pytest.mark.parametrize(("length", "status"), [(0, 400), (1, 200), (255, 200), (256, 400)])
def test_an_idempotency_key_has_one_to_255_characters(agent, length, status):
    """An empty header is a mistake of the client, not the absence of a key."""
    assert agent.ask({"idempotency-key": "k" * length}).status == status


def test_a_request_for_nothing_is_refused(agent, counted):
    """Of this resource nothing is asked for; name a scope of it or details."""
    assert agent.ask(scope="openid").refusal == (400, "invalid_target")
    assert counted() == 0


def test_an_action_needs_no_scope(agent):
    """The details alone say what the token is for; the risk is that of the action."""
    _, approval = agent.asked_payment(scope="openid")
    assert (approval.risk, approval.scope, approval.ceremony) == (Risk.HIGH, "", "pin")
    shown = json.loads(approval.display)
    assert (shown["scopes"], shown["headline"][:3]) == ([], "Pay")


def test_a_critical_request_is_refused_where_there_are_no_two_people(agent, local, counted):
    """CIBA 13: 403; nobody is disturbed, and the log knows. The administrator is alone here."""
    local.desk.resources.add(SAFE, {"safe:open": Risk.CRITICAL}, {}, by=BY)
    _update(local, resources=(PAY, SAFE), scopes=(*PAY_SCOPES, "safe:open"))
    admin, _ = local.desk.users.show("admin")
    told = local.desk.events(admin)
    refused = agent.ask(resource=SAFE, scope="openid safe:open", login_hint="admin")
    assert refused.refusal == (403, "access_denied")
    assert refused.json["reason"] == "too_few_people"
    assert "2 approvals, and one person may" in refused.json["error_description"]
    assert counted() == 0
    assert local.desk.events(admin) == told
    (entry,) = local.desk.entries("approval.refused")
    assert (entry["cause"], entry["agent_id"], entry["action"]) == (
        "too_few_people",
        agent.id,
        "safe:open",
    )


def test_a_person_who_does_not_exist_is_unknown(agent, counted):
    """CIBA 13; nothing is stored of it but the count."""
    assert agent.ask(login_hint="nobody").refusal == (400, "unknown_user_id")
    assert counted() == 0


def test_a_guessing_agent_is_not_even_answered_about_people_who_exist(agent, local, counted):
    """After twenty unknown users in ten minutes; each refusal is an entry."""
    for number in range(20):
        assert agent.ask(login_hint=f"nobody{number}").refusal == (400, "unknown_user_id")
    assert agent.ask(login_hint="nobody").refusal == (403, "access_denied")
    assert agent.ask(login_hint="ana").refusal == (403, "access_denied")
    assert [entry["cause"] for entry in local.desk.entries("approval.refused")] == ["guessing"] * 2
    local.clock.forward(10 * MINUTE)
    assert agent.ask(login_hint="ana").status == 200
    assert counted() == 1


def test_where_unknown_users_are_hidden_a_request_to_nobody_looks_like_any_other(
    open_local, template
):
    """It is acknowledged, pending, and expires unseen; nobody's screen shows it."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    handle, phantom = agent.asked(login_hint="nobody", requested_expiry="60")
    assert phantom.user_id is None
    local.clock.forward(5_000)
    assert agent.poll(handle).json["error"] == "authorization_pending"
    local.clock.forward(MINUTE)
    told = agent.poll(handle)
    assert (told.json["error"], told.json["reason"]) == ("expired_token", "expired_unseen")
    with local.services.store.read() as view:
        events = view.feed.after(0, None, 1_000)
        told = [event.user_id for event in events if event.approval_id == phantom.id]
        assert [view.directory.user(user_id) for user_id in told] == [None] * len(told)
    assert [entry.get("subject") for entry in local.desk.entries("approval.requested")] == [None]


def test_where_unknown_users_are_hidden_guessing_is_answered_as_ever(open_local, template):
    """A refusal after twenty guesses would tell which names exist."""
    agent = template.agent(open_local(unknown_user="hide"))
    for number in range(21):
        assert agent.ask(login_hint=f"nobody{number}").status == 200
    assert agent.ask(login_hint="ana").status == 200


def test_where_unknown_users_are_hidden_a_cap_does_not_tell_who_exists(open_local, template):
    """Nobody may be asked as often as somebody, by this agent and under one name."""
    local = open_local(unknown_user="hide", open_per_agent=2)
    agent = template.agent(local)
    for hint in ("ana", "nobody"):
        answers = [agent.ask(login_hint=name) for name in (hint, hint, hint.upper())]
        assert [answer.status for answer in answers] == [200, 200, 403]
        assert "already has 2 open requests" in answers[2].json["error_description"]
    assert agent.ask(login_hint="nobody else").status == 200
    local.clock.forward(DAY)
    assert agent.ask(login_hint="nobody").status == 200


def test_the_grants_name_in_the_registration_is_the_one_that_is_checked(agent, local):
    """CIBA alone is enough to ask."""
    _update(local, grant_types=(GRANT_CIBA,))
    assert agent.ask().status == 200


def test_an_agent_may_wish_for_the_pin_and_gets_what_it_names(agent, person, local):
    """CB-075, CB-154, FC-T6: the person is asked for it at low risk too, and the token says so."""
    handle, approval = agent.asked(acr_values=ACR_SIGNED_PIN)
    assert (approval.risk, approval.ceremony) == (Risk.LOW, "pin")
    confirmed = person.send_decision(approval.id, person.decision(approval.id))
    assert confirmed.refusal == (403, "pin_required")
    assert person.approve(approval.id).status == 200
    answer = agent.poll(handle).json
    assert local.claims(answer["id_token"], "JWT")["acr"] == ACR_SIGNED_PIN


def test_a_wish_for_less_lowers_nothing(agent):
    """High risk takes the PIN whatever the agent wishes for."""
    _, approval = agent.asked_payment(acr_values=ACR_SIGNED)
    assert approval.ceremony == "pin"
