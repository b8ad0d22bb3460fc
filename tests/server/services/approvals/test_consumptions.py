"""Consuming an approval: once, for exactly what was granted."""

import json
import re
from dataclasses import replace

import pytest

from server.model.approvals import Consumption
from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import NewAgent
from server.services.policy import builtin_action_types
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import LocalResource, new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.token_chains import Chains
from tests.support.clients.agent import PAYMENT_DETAILS

OTHER = [{**PAYMENT_DETAILS[0], "payee": "Mallory"}]
OTHER_API = "https://other.example"
LUNCH = {**PAYMENT, "type": "lunch", "risk": "low"}


@pytest.fixture
def token(agent, person):
    """The token of an approved payment."""
    return agent.paid(person)


@pytest.fixture
def lunch(agent, local, person):
    """The token of a small purchase that was approved without a PIN."""
    local.admin.actions.add(json.dumps(LUNCH), by=BY)
    details = json.dumps([{**PAYMENT_DETAILS[0], "type": "lunch"}])
    return agent.paid(person, scope="openid payments:read", authorization_details=details)


def _consume_lunch(resource, token, execution="run-1", **members):
    details = [{**PAYMENT_DETAILS[0], "type": "lunch"}]
    return resource.consume(token, execution, authorization_details=details, **members)


def test_an_approval_is_consumed_by_one_execution(agent, local, person, resource, token):
    """The response names the approval, agent and user; the audit log has an entry."""
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
    (entry,) = local.admin.entries("approval.consumed")
    assert entry["actor"] == f"resource:{resource.id}"
    assert (entry["approval_id"], entry["facts"]["execution"]) == (approval["id"], "run-1")


def test_an_approval_of_a_long_message_is_consumed(agent, local, person, resource):
    """Every token that the server issues can be consumed, also one with long details."""
    local.admin.actions.add(builtin_action_types.document("message.send"), by=BY)
    message = {
        "type": "message.send",
        "recipients": ["a@example.com"],
        "domains": ["example.com"],
        "external_domains": [],
        "text": "\u6f22" * 4_000,
    }
    text = json.dumps([message], ensure_ascii=False)
    token = agent.paid(person, scope="openid payments:read", authorization_details=text)
    assert len(token) > 16_384
    assert resource.consume(token, authorization_details=[message]).status == 200


def _server(local, *serves):
    """An agent that serves these resources with its one credential."""
    local.admin.resources.add(OTHER_API, {"other:read": Risk.LOW}, {}, by=BY)
    added = local.admin.agents.add(NewAgent("gateway", ("admin",), serves=serves), by=BY)
    return LocalResource(local, added.agent.id, added.secret)


@pytest.mark.parametrize("serves", [(PAY,), (PAY, OTHER_API)])
def test_an_agent_that_serves_a_resource_can_act_for_it(local, token, serves):
    """An agent can introspect, consume and report for its resource, and the log names it."""
    server = _server(local, *serves)
    assert server.introspect(token).json["active"] is True
    assert server.consume(token).status == 200
    assert server.report(local.claims(token)["approval"]["id"]).status == 200
    entries = local.admin.entries()
    mine = [
        entry for entry in entries if entry["type"] in {"approval.consumed", "approval.executed"}
    ]
    assert [(entry["actor"], entry["resource"]) for entry in mine] == [
        (f"agent:{server.id}", PAY)
    ] * 2


@pytest.mark.parametrize(("serves", "status"), [((), 401), ((OTHER_API,), 403)])
def test_an_agent_that_does_not_serve_the_resource_cannot_consume(local, token, serves, status):
    """The approval stays available for the resource that the token is for."""
    server = _server(local, *serves)
    assert server.introspect(token).json == {"active": False}
    assert server.consume(token).status == status
    assert local.admin.entries("approval.consumed") == []


@pytest.mark.parametrize(("serves", "status"), [((), 401), ((OTHER_API,), 404)])
def test_an_agent_that_does_not_serve_the_resource_cannot_report(
    local, token, resource, serves, status
):
    """Only the resource that ran an execution can report its outcome."""
    resource.consume(token)
    approval = local.claims(token)["approval"]["id"]
    assert _server(local, *serves).report(approval).status == status
    assert local.admin.entries("approval.executed") == []


def test_repeating_the_same_execution_returns_the_same_response(local, resource, token):
    """A resource that lost the response can repeat the call."""
    first = resource.consume(token)
    local.clock.forward(MINUTE)
    again = resource.consume(token)
    assert (again.status, again.body) == (200, first.body)
    assert len(local.admin.entries("approval.consumed")) == 1


def test_another_execution_is_refused_with_one_alarm(local, resource, token):
    """The first execution keeps the approval, and several refusals raise only one alarm."""
    resource.consume(token)
    for run in ("run-2", "run-3", "RUN-1"):
        assert resource.consume(token, run).refusal == (409, "already_consumed")
    (entry,) = local.admin.entries("approval.reused")
    assert entry["facts"]["execution"] == "run-2"
    assert resource.consume(token).status == 200


def test_different_details_are_refused_and_do_not_consume_the_approval(resource, token):
    """The server computes the digest of the details itself."""
    for details in (OTHER, [*PAYMENT_DETAILS, *OTHER], [], [{}], [*PAYMENT_DETAILS] * 2):
        refused = resource.consume(token, authorization_details=details)
        assert refused.refusal == (403, "not_granted")
    assert resource.consume(token, "run-2").status == 200


def test_details_may_have_any_member_order(resource, token):
    """Details are compared in their canonical form."""
    reordered = [dict(reversed(list(PAYMENT_DETAILS[0].items())))]
    assert resource.consume(token, authorization_details=reordered).status == 200


def test_another_resource_cannot_consume_the_approval(local, token):
    """A different resource gets token_inactive, as for an unknown token."""
    local.admin.resources.add("https://mail.example", {}, {}, by=BY)
    other_resource = new_resource(local, "https://mail.example")
    assert other_resource.consume(token).refusal == (403, "token_inactive")
    assert other_resource.consume("x").refusal == (403, "token_inactive")


def test_a_token_without_a_single_use_approval_cannot_be_consumed(agent, person, resource):
    """Tokens of client credentials and tokens for scopes only are refused."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    for token in (agent.alone().json["access_token"], agent.poll(handle).json["access_token"]):
        refused = resource.consume(token, authorization_details=[])
        assert refused.refusal == (403, "not_single_use")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("end", ["expiry", "agent", "user", "revocation", "key"])
def test_an_inactive_token_cannot_be_consumed(local, resource, token, end, before):
    """An inactive token is refused even if it was consumed before."""
    if before:
        assert resource.consume(token).status == 200
    ends = {
        "expiry": lambda: local.clock.forward(5 * MINUTE),
        "agent": lambda: local.admin.agents.disable("invoice-bot", by=BY),
        "user": lambda: local.admin.users.disable("ana", by=BY),
        "revocation": lambda: _revoke(local, token),
        "key": lambda: _retire_keys(local),
    }
    ends[end]()
    assert resource.consume(token).refusal == (403, "token_inactive")


def _revoke(local, token):
    with local.services.store.write() as tx:
        tx.delegations.revoke_tree(local.claims(token)["jti"], tx.now)


def _retire_keys(local):
    local.admin.keys.rotate("ES256", by=BY)
    with local.services.store.administer() as tx:
        tx.keys.delete_retired(tx.now + 10**9)


class TestStepUp:
    """RFC 9470: an approval that is too weak or too old for an execution."""

    CODE = "insufficient_user_authentication"

    def test_a_resource_may_require_an_acr(self, lunch, resource):
        """SU-01: a resource gets a challenge that it can pass on to the client."""
        refused = _consume_lunch(resource, lunch, acr_values=[ACR_SIGNED_PIN])
        assert refused.refusal == (401, self.CODE)
        challenge = refused.headers["WWW-Authenticate"]
        assert challenge.startswith(f'Bearer error="{self.CODE}"')
        assert f'acr_values="{ACR_SIGNED_PIN}"' in challenge
        assert _consume_lunch(resource, lunch, acr_values=[ACR_SIGNED]).status == 200

    def test_a_new_approval_with_the_challenged_acr_is_accepted(
        self, agent, lunch, person, resource
    ):
        """SU-02: the new token states the acr and auth_time that the challenge requires."""
        refused = _consume_lunch(resource, lunch, acr_values=[ACR_SIGNED_PIN])
        required_acr = re.search('acr_values="([^"]+)"', refused.headers["WWW-Authenticate"])[1]
        details = json.dumps([{**PAYMENT_DETAILS[0], "type": "lunch"}])
        parameters = {"scope": "openid payments:read", "authorization_details": details}
        token = agent.paid(person, acr_values=required_acr, **parameters)
        introspection = resource.introspect(token).json
        assert (introspection["acr"], introspection["auth_time"]) == (
            required_acr,
            introspection["iat"],
        )
        assert _consume_lunch(resource, token, acr_values=[required_acr]).status == 200

    def test_a_weaker_decision_does_not_yield_a_stronger_acr(self, agent, lunch, person, resource):
        """SU-04: a token never claims an acr that the decision did not reach."""
        assert resource.introspect(lunch).json["acr"] == ACR_SIGNED
        _, approval = agent.request_approval(acr_values=ACR_SIGNED_PIN)
        jws = person.decision(approval.id)
        assert person.send_decision(approval.id, jws).refusal == (403, "pin_required")
        handle, other = agent.request_approval(acr_values="phr")
        person.approve(other.id)
        token = agent.poll(handle).json["access_token"]
        assert resource.introspect(token).json["acr"] == ACR_SIGNED

    def test_a_resource_may_require_a_recent_approval(self, local, resource, token):
        """SU-01: `max_age` is counted from the time of the approval."""
        local.clock.forward(MINUTE)
        refused = resource.consume(token, max_age=59)
        assert refused.refusal == (401, self.CODE)
        assert 'max_age="59"' in refused.headers["WWW-Authenticate"]
        assert resource.consume(token, max_age=120).status == 200

    def test_a_raised_risk_requires_the_pin(self, local, lunch, resource):
        """The approval was given at a lower risk, without the PIN."""
        raised = ResourceChanges(scopes={"payments:read": Risk.HIGH})
        local.admin.resources.update(PAY, raised, by=BY)
        refused = _consume_lunch(resource, lunch)
        assert refused.refusal == (401, self.CODE)
        assert ACR_SIGNED_PIN in refused.headers["WWW-Authenticate"]

    def test_a_deleted_action_type_requires_nothing_more(self, local, lunch, resource):
        """A deleted type has no risk, so the granted action may run."""
        local.admin.actions.delete("lunch", by=BY)
        assert _consume_lunch(resource, lunch).status == 200


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
def test_an_invalid_body_is_refused(resource, token, members):
    """An invalid body consumes nothing, so a valid call still succeeds."""
    assert resource.consume(**{"token": token, **members}).refusal == (422, "invalid_body")
    assert resource.consume(token).status == 200


@pytest.mark.parametrize("caller", ["nobody", "agent", "wrong secret", "no scheme"])
def test_only_a_resource_may_consume(agent, local, resource, token, caller):
    """Other callers get a 401 as a JSON problem with a Basic challenge."""
    callers = {
        "agent": replace(resource, id=agent.id, secret=agent.secret),
        "wrong secret": replace(resource, secret="x"),
    }
    if caller in callers:
        refused = callers[caller].consume(token)
    else:
        headers = {"authorization": "x"} if caller == "no scheme" else {}
        refused = local.send("POST", "/api/approvals/consume", headers=headers, body=b"{}")
    assert refused.refusal == (401, "invalid_client")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_an_exchanged_token_consumes_the_same_approval(agent, local, person, resource, token):
    """All tokens of a chain together consume the approval once."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    exchanged = chains.exchanged(
        payer,
        token,
        resource=PAY,
        scope="payments:transfer",
        authorization_details=json.dumps(PAYMENT_DETAILS),
    )
    assert resource.consume(exchanged, "run-1").status == 200
    assert resource.consume(exchanged, "run-2").refusal == (409, "already_consumed")
    assert resource.consume(token, "run-2").refusal == (409, "already_consumed")
    assert resource.consume(token, "run-1").json["agent"] == agent.id


def test_a_token_for_some_of_the_granted_details_cannot_be_consumed(agent, local, person, resource):
    """A token for some of the granted details does not have the granted digest."""
    both = [*PAYMENT_DETAILS, *OTHER]
    token = agent.paid(person, authorization_details=json.dumps(both))
    chains = Chains(local, person.user.id)
    chains.prepare()
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    terms = {"resource": PAY, "scope": "payments:transfer"}
    exchanged = chains.exchanged(
        payer, token, authorization_details=json.dumps(PAYMENT_DETAILS), **terms
    )
    refused = resource.consume(exchanged, authorization_details=PAYMENT_DETAILS)
    assert refused.refusal == (403, "not_granted")
    assert resource.consume(token, authorization_details=both).status == 200


def test_an_execution_id_of_another_resource_is_another_execution(local, resource, token):
    """Two resources may use the same execution ID for different executions."""
    claims = local.claims(token)
    consumed = Consumption(
        claims["approval"]["id"], "run-1", claims["jti"], "https://bank.example", 0
    )
    with local.services.store.write() as tx:
        assert tx.consumptions.add_once(consumed)
    assert resource.consume(token, "run-1").refusal == (409, "already_consumed")
