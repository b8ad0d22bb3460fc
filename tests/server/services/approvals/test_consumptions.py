"""An approval is spent once, on exactly what was granted."""

import json
import re
from dataclasses import replace

import pytest

from server.model.approvals import Consumption
from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import NewAgent
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.token_chains import Chains
from tests.support.clients.agent import PAYMENT_DETAILS

OTHER = [{**PAYMENT_DETAILS[0], "payee": "Mallory"}]
LUNCH = {**PAYMENT, "type": "lunch", "risk": "low"}


@pytest.fixture
def token(agent, person):
    """The token of an approved payment."""
    return agent.paid(person)


@pytest.fixture
def lunch(agent, local, person):
    """The token of something small that was approved without a PIN."""
    local.desk.actions.add(json.dumps(LUNCH), by=BY)
    details = json.dumps([{**PAYMENT_DETAILS[0], "type": "lunch"}])
    return agent.paid(person, scope="openid payments:read", authorization_details=details)


def _lunch(resource, token, execution="run-1", **members):
    details = [{**PAYMENT_DETAILS[0], "type": "lunch"}]
    return resource.consume(token, execution, authorization_details=details, **members)


def test_an_approval_is_spent_on_one_execution(agent, local, person, resource, token):
    """The answer says which approval and whose, and the log has it."""
    answer = resource.consume(token)
    approval = local.claims(token)["approval"]
    assert answer.status == 200
    assert answer.json == {
        "approval": approval["id"],
        "execution_id": "run-1",
        "consumed_at": answer.json["consumed_at"],
        "granted_digest": approval["granted_digest"],
        "agent": agent.id,
        "user": person.user.id,
    }
    with local.services.store.read() as view:
        used = view.delegations.get(local.claims(token)["jti"])
    assert used.last_used_at == local.clock.now()
    (entry,) = local.desk.entries("approval.consumed")
    assert entry["actor"] == f"resource:{resource.id}"
    assert (entry["approval_id"], entry["facts"]["execution"]) == (approval["id"], "run-1")


def test_the_same_execution_gets_the_same_answer(local, resource, token):
    """For a resource whose answer was lost; it is spent no second time."""
    first = resource.consume(token)
    local.clock.forward(MINUTE)
    again = resource.consume(token)
    assert (again.status, again.body) == (200, first.body)
    assert len(local.desk.entries("approval.consumed")) == 1


def test_another_execution_is_refused_and_an_alarm_once(local, resource, token):
    """409, however often it is tried; and the first one stands."""
    resource.consume(token)
    for run in ("run-2", "run-3", "RUN-1"):
        assert resource.consume(token, run).refusal == (409, "already_consumed")
    (entry,) = local.desk.entries("approval.reused")
    assert entry["facts"]["execution"] == "run-2"
    assert resource.consume(token).status == 200


def test_what_was_not_granted_is_refused_and_spends_nothing(resource, token):
    """The server makes the digest; another payee, another order, more, less: all are others."""
    for details in (OTHER, [*PAYMENT_DETAILS, *OTHER], [], [{}], [*PAYMENT_DETAILS] * 2):
        refused = resource.consume(token, authorization_details=details)
        assert refused.refusal == (403, "not_granted")
    assert resource.consume(token, "run-2").status == 200


def test_members_may_come_in_any_order(resource, token):
    """What counts is the canonical text."""
    turned = [dict(reversed(list(PAYMENT_DETAILS[0].items())))]
    assert resource.consume(token, authorization_details=turned).status == 200


def test_another_resource_cannot_spend_it(local, token):
    """Nor learn whether it counts."""
    local.desk.resources.add("https://mail.example", {}, {}, by=BY)
    stranger = new_resource(local, "https://mail.example")
    assert stranger.consume(token).refusal == (403, "token_inactive")
    assert stranger.consume("x").refusal == (403, "token_inactive")


def test_a_token_without_an_approval_that_counts_once_spends_nothing(agent, person, resource):
    """One of the agent itself; one of scopes that may be used until it ends."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    for token in (agent.alone().json["access_token"], agent.poll(handle).json["access_token"]):
        refused = resource.consume(token, authorization_details=[])
        assert refused.refusal == (403, "not_single_use")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("end", ["expiry", "agent", "user", "revocation", "key"])
def test_nothing_runs_after_the_end_of_a_token(local, resource, token, end, before):
    """Neither anew nor again."""
    if before:
        assert resource.consume(token).status == 200
    ends = {
        "expiry": lambda: local.clock.forward(5 * MINUTE),
        "agent": lambda: local.desk.agents.disable("invoice-bot", by=BY),
        "user": lambda: local.desk.users.disable("ana", by=BY),
        "revocation": lambda: _revoked(local, token),
        "key": lambda: _keys_end(local),
    }
    ends[end]()
    assert resource.consume(token).refusal == (403, "token_inactive")


def _revoked(local, token):
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(local.claims(token)["jti"], tx.now)


def _keys_end(local):
    local.desk.keys.rotate("ES256", by=BY)
    with local.services.store.administer() as tx:
        tx.keys.drop_retired(tx.now + 10**9)


class TestStepUp:
    """RFC 9470: an answer that is too weak or too old for what is about to run."""

    CODE = "insufficient_user_authentication"

    def test_a_resource_may_demand_how_the_person_answered(self, lunch, resource):
        """SU-01: the challenge is what the resource passes on."""
        refused = _lunch(resource, lunch, acr_values=[ACR_SIGNED_PIN])
        assert refused.refusal == (401, self.CODE)
        challenge = refused.headers["WWW-Authenticate"]
        assert challenge.startswith(f'Bearer error="{self.CODE}"')
        assert f'acr_values="{ACR_SIGNED_PIN}"' in challenge
        assert _lunch(resource, lunch, acr_values=[ACR_SIGNED]).status == 200

    def test_asking_again_as_the_challenge_says_is_enough(self, agent, lunch, person, resource):
        """SU-02: the new token carries how and when the person answered, there and here."""
        refused = _lunch(resource, lunch, acr_values=[ACR_SIGNED_PIN])
        wanted = re.search('acr_values="([^"]+)"', refused.headers["WWW-Authenticate"])[1]
        details = json.dumps([{**PAYMENT_DETAILS[0], "type": "lunch"}])
        asked = {"scope": "openid payments:read", "authorization_details": details}
        token = agent.paid(person, acr_values=wanted, **asked)
        told = resource.introspect(token).json
        assert (told["acr"], told["auth_time"]) == (wanted, told["iat"])
        assert _lunch(resource, token, acr_values=[wanted]).status == 200

    def test_a_weaker_answer_gives_no_stronger_token(self, agent, lunch, person, resource):
        """SU-04: without the PIN there is no answer; what we cannot do is not claimed."""
        assert resource.introspect(lunch).json["acr"] == ACR_SIGNED
        _, approval = agent.asked(acr_values=ACR_SIGNED_PIN)
        jws = person.decision(approval.id)
        assert person.send_decision(approval.id, jws).refusal == (403, "pin_required")
        handle, other = agent.asked(acr_values="phr")
        person.approve(other.id)
        token = agent.poll(handle).json["access_token"]
        assert resource.introspect(token).json["acr"] == ACR_SIGNED

    def test_a_resource_may_demand_a_fresh_answer(self, local, resource, token):
        """SU-01: `max_age` counts from the answer, not from the token."""
        local.clock.forward(MINUTE)
        refused = resource.consume(token, max_age=59)
        assert refused.refusal == (401, self.CODE)
        assert 'max_age="59"' in refused.headers["WWW-Authenticate"]
        assert resource.consume(token, max_age=120).status == 200

    def test_a_risk_that_rose_demands_the_pin(self, local, lunch, resource):
        """What was small when it was approved and is not any more."""
        raised = ResourceChanges(scopes={"payments:read": Risk.HIGH})
        local.desk.resources.update(PAY, raised, by=BY)
        refused = _lunch(resource, lunch)
        assert refused.refusal == (401, self.CODE)
        assert ACR_SIGNED_PIN in refused.headers["WWW-Authenticate"]

    def test_a_type_that_is_gone_demands_nothing_more(self, local, lunch, resource):
        """There is no risk to speak of; what was granted may run."""
        local.desk.actions.delete("lunch", by=BY)
        assert _lunch(resource, lunch).status == 200


@pytest.mark.parametrize(
    "members",
    [
        {"execution_id": ""},
        {"execution_id": "a b"},
        {"execution_id": "x" * 129},
        {"execution_id": 1},
        {"execution_id": None},
        {"token": None},
        {"token": 1},
        {"authorization_details": None},
        {"authorization_details": {}},
        {"authorization_details": ["x"]},
        {"authorization_details": [{}] * 11},
        {"acr_values": ["a b"]},
        {"acr_values": ['a"b']},
        {"max_age": -1},
        {"max_age": "1"},
        {"more": 1},
    ],
)
def test_a_body_that_does_not_fit_is_refused(resource, token, members):
    """422, and nothing is spent."""
    assert resource.consume(**{"token": token, **members}).refusal == (422, "invalid_body")
    assert resource.consume(token).status == 200


@pytest.mark.parametrize("who", ["nobody", "agent", "wrong secret", "no scheme"])
def test_only_a_resource_may_spend(agent, local, resource, token, who):
    """401 in the words of the JSON API, with a challenge for Basic."""
    callers = {
        "agent": replace(resource, id=agent.id, secret=agent.secret),
        "wrong secret": replace(resource, secret="x"),
    }
    if who in callers:
        refused = callers[who].consume(token)
    else:
        headers = {"authorization": "x"} if who == "no scheme" else {}
        refused = local.send("POST", "/api/approvals/consume", headers=headers, body=b"{}")
    assert refused.refusal == (401, "invalid_client")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_token_that_was_exchanged_for_it_spends_the_same_approval(
    agent, local, person, resource, token
):
    """Down a chain of agents it is still good for one execution in all."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    made = chains.exchanged(
        payer,
        token,
        resource=PAY,
        scope="payments:transfer",
        authorization_details=json.dumps(PAYMENT_DETAILS),
    )
    assert resource.consume(made, "run-1").status == 200
    assert resource.consume(made, "run-2").refusal == (409, "already_consumed")
    assert resource.consume(token, "run-2").refusal == (409, "already_consumed")
    assert resource.consume(token, "run-1").json["agent"] == agent.id


def test_what_an_exchange_took_a_part_of_cannot_be_spent(agent, local, person, resource):
    """The person signed the whole, and the digest of a part is another."""
    both = [*PAYMENT_DETAILS, *OTHER]
    token = agent.paid(person, authorization_details=json.dumps(both))
    chains = Chains(local, person.user.id)
    chains.prepare()
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    terms = {"resource": PAY, "scope": "payments:transfer"}
    made = chains.exchanged(
        payer, token, authorization_details=json.dumps(PAYMENT_DETAILS), **terms
    )
    refused = resource.consume(made, authorization_details=PAYMENT_DETAILS)
    assert refused.refusal == (403, "not_granted")
    assert resource.consume(token, authorization_details=both).status == 200


def test_an_agent_that_proves_itself_is_no_resource(local, resource, token):
    """By the same way of authenticating; also one that serves the API asks, and spends nothing."""
    new = NewAgent("gateway", ("admin",), serves=(PAY,))
    given = local.desk.agents.add(new, by=BY)
    gateway = replace(resource, id=given.agent.id, secret=given.secret)
    assert gateway.introspect(token).json["active"] is True
    assert gateway.consume(token).refusal == (401, "invalid_client")


def test_the_execution_of_another_resource_is_another_one(local, resource, token):
    """Though it has the same name: resources do not name what they do for each other."""
    claims = local.claims(token)
    spent = Consumption(claims["approval"]["id"], "run-1", claims["jti"], "https://bank.example", 0)
    with local.services.store.write() as tx:
        assert tx.consumptions.add_once(spent)
    assert resource.consume(token, "run-1").refusal == (409, "already_consumed")
