"""Automatic decisions: with a consent, a request that policy allows asks nobody."""

import json

import pytest

from server.model.approvals import automatic_decision
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.approvers import answer_sources
from server.services.clients.agent_forms import AgentChanges
from server.services.operations.replays import Replays
from server.services.operations.trials import TrialRequest, Trials
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders import consents
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, SECOND
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains
from tests.support.fakes.receiver import receiver

OPEN = rule("allow", 'when.at = ["request"]', 'when.resource = ["*"]', name="open")
PAYS = rule(
    "allow",
    'when.at = ["request"]',
    'when.type = ["payment.transfer"]',
    'when.risk.at_most = "high"',
    name="pays",
)


@pytest.fixture
def put(local):
    """Puts a rule set in force."""

    def put_rules(*rules):
        return Policies(local.services.store).set("\n".join(rules), by=BY)

    return put_rules


@pytest.fixture
def allowed_consent(agent, person, local, put):
    """Ana's consent for the agent, with a rule that allows requests."""
    put(OPEN)
    return consents.give(local, agent, person)


def _row(local, token):
    with local.services.store.read() as view:
        return view.delegations.get(local.claims(token)["jti"])


def _decision_basis(approval):
    return json.loads(approval.display)["why"]


def test_a_request_with_consent_and_an_allow_rule_is_approved_immediately(
    agent, person, local, allowed_consent
):
    """The audit log names the consent and the policy version that decided."""
    before = local.admin.events(person.user)
    handle, approval = agent.request_approval()
    assert (approval.state, approval.decided_at) == (State.APPROVED, approval.created_at)
    decided_by = {"consent": allowed_consent.id, "policy": 1}
    assert automatic_decision(approval) == decided_by
    assert local.admin.events(person.user)[len(before) :] == ["approval.decided"]
    entry = local.admin.entries("approval.allowed")[-1]
    assert (entry["actor"], entry["decision"]) == ("system", "approved")
    assert entry["facts"]["decided_by"] == decided_by
    assert entry["facts"]["policy"]["rules"] == ["open"]
    assert local.admin.entries("approval.requested")[-1]["approval_id"] == approval.id
    answer = agent.poll(handle)
    assert answer.status == 200
    assert local.stored_approval(approval.id).state is State.REDEEMED


def test_the_token_of_an_automatic_approval_names_the_consent_and_claims_no_user_authentication(
    agent, local, allowed_consent
):
    """Neither the access token nor the ID token has acr, amr or auth_time."""
    handle, approval = agent.request_approval()
    answer = agent.poll(handle).json
    claims = local.claims(answer["access_token"])
    assert claims["approval"] == {
        "id": approval.id,
        "action_digest": approval.action_digest,
        "granted_digest": approval.action_digest,
        "single_use": False,
        "decided_by": {"consent": allowed_consent.id, "policy": 1},
    }
    identity = local.claims(answer["id_token"], "JWT")
    for token_claims in (claims, identity):
        assert not {"acr", "amr", "auth_time"} & set(token_claims)
    entry = local.admin.entries("token.issued")[-1]
    assert ("posture" in entry, entry["approval_id"]) == (False, approval.id)


def test_a_token_decided_by_a_person_has_no_automatic_decision(agent, person, local):
    """The token has acr and no decided_by."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    claims = local.claims(agent.poll(handle).json["access_token"])
    assert claims["acr"]
    assert "decided_by" not in claims["approval"]
    assert person.show(approval.id)["decided_by"] is None


def test_the_person_sees_an_automatic_approval_and_cannot_decide_it(agent, person, allowed_consent):
    """The person's history shows the consent that decided the request."""
    _, approval = agent.request_approval()
    shown = person.show(approval.id)
    assert (shown["state"], shown["decided"]) == ("approved", None)
    assert shown["decided_by"] == {"consent": allowed_consent.id, "policy": 1}
    items = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert approval.id in [item["id"] for item in items]
    denied = person.deny(approval.id)
    assert denied.refusal == (409, "already_decided")


@pytest.mark.usefixtures("allowed_consent")
@pytest.mark.parametrize("delivery", ["ping", "push"])
def test_the_callback_of_an_automatic_approval_follows_the_response(agent, local, delivery):
    """The agent does not know the auth_req_id before the response arrives."""
    with receiver() as endpoint:
        changes = AgentChanges(delivery=delivery, notification_endpoint=endpoint.url())
        local.admin.agents.update(agent.id, changes, by=BY)
        handle, approval = agent.request_approval(client_notification_token="t" * 30)
        local.deliver()
        assert endpoint.got == []
        local.clock.forward(SECOND)
        local.deliver()
        body = json.loads(endpoint.got[0].body)
    assert body["auth_req_id"] == handle
    if delivery == "push":
        assert local.claims(body["access_token"])["approval"]["id"] == approval.id
    else:
        assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("allowed_consent")
def test_a_held_poll_of_an_automatic_approval_returns_immediately(agent):
    """The request is already decided, so there is nothing to wait for."""
    handle, _ = agent.request_approval()
    assert agent.poll(handle, prefer="wait=50").status == 200


ASKED = {
    "another person's consent": ({"login_hint": "ben"}, answer_sources.NOT_CONSENTED),
    "a scope outside the consent": (
        {"scope": "openid payments:read payments:audit"},
        answer_sources.NOT_CONSENTED,
    ),
    "a wish for their own answer": (
        {"acr_values": "urn:sayso:acr:signed"},
        answer_sources.WANTS_YOU,
    ),
}


@pytest.mark.usefixtures("allowed_consent")
@pytest.mark.parametrize(("parameters", "why"), ASKED.values(), ids=ASKED)
def test_a_request_not_covered_by_a_consent_asks_the_person(agent, local, parameters, why):
    """The display explains why the person is asked."""
    new_person(local, "ben")
    more = ResourceChanges(scopes={"payments:audit": Risk.LOW})
    local.admin.resources.update(PAY, more, by=BY)
    wider = AgentChanges(scopes=("payments:read", "payments:audit"))
    local.admin.agents.update(agent.id, wider, by=BY)
    _, approval = agent.request_approval(**parameters)
    assert approval.state is State.PENDING
    assert approval.decided_by is None
    assert _decision_basis(approval).startswith(why)


def test_a_consent_without_an_allow_rule_asks_the_person(agent, person, local, put):
    """The built-in rules require an approval, as does a specific rule."""
    consents.give(local, agent, person)
    assert agent.request_approval()[1].state is State.PENDING
    put(OPEN, rule("ask", 'when.scope = ["payments:read"]', name="careful"))
    assert agent.request_approval()[1].state is State.PENDING


def test_a_revoked_consent_cannot_decide_a_request(agent, local, allowed_consent):
    """It covers neither new requests nor approvals that were not yet redeemed."""
    handle, approval = agent.request_approval()
    local.site.consents.revoke(allowed_consent.id, by=BY)
    assert agent.poll(handle).status == 400
    assert local.stored_approval(approval.id).reason == "policy_changed"
    assert agent.request_approval()[1].state is State.PENDING


def test_an_approval_under_a_revoked_consent_is_not_redeemed_under_a_new_one(
    agent, person, local, allowed_consent
):
    """Only a new request is approved under the new consent."""
    handle, _ = agent.request_approval()
    local.site.consents.revoke(allowed_consent.id, by=BY)
    consents.give(local, agent, person)
    assert agent.poll(handle).status == 400
    assert agent.request_approval()[1].state is State.APPROVED


@pytest.mark.usefixtures("allowed_consent")
def test_a_policy_that_asks_before_redemption_withdraws_the_approval(agent, local, put):
    """Policy is evaluated again when the token is issued."""
    handle, approval = agent.request_approval()
    put(rule("ask"))
    assert agent.poll(handle).status == 400
    assert local.stored_approval(approval.id).reason == "policy_changed"


def test_revoking_the_consent_revokes_the_token(agent, local, allowed_consent):
    """The token's delegation refers to the consent, so it ends with the consent."""
    token = agent.poll(agent.request_approval()[0]).json["access_token"]
    assert _row(local, token).consent_id == allowed_consent.id
    _, ended = local.site.consents.revoke(allowed_consent.id, by=BY)
    assert ended == 1
    assert _row(local, token).revoked_at is not None


def test_a_token_expires_no_later_than_its_consent(agent, person, local, put):
    """If the consent expires in two minutes, the token lasts for two minutes, not for five."""
    put(OPEN)
    until = local.clock.now() + DAY
    consents.give(local, agent, person, until=until)
    local.clock.forward(DAY - 120 * SECOND)
    assert agent.poll(agent.request_approval()[0]).json["expires_in"] == 120


def test_a_payment_under_a_consent_is_consumed_once(agent, person, local, resource, put):
    """A rule must allow high risk, and a risk that rises later prevents consumption."""
    put(PAYS)
    consents.give(local, agent, person, scopes=("payments:transfer",))
    token = agent.poll(agent.request_payment()[0]).json["access_token"]
    assert local.claims(token)["approval"]["single_use"] is True
    assert resource.consume(token).status == 200
    assert resource.consume(token, "run-2").refusal == (409, "already_consumed")
    later = agent.poll(agent.request_payment()[0]).json["access_token"]
    critical = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, critical, by=BY)
    assert resource.consume(later).status == 401


@pytest.mark.usefixtures("allowed_consent")
def test_automatic_approvals_do_not_count_as_history(agent):
    """Nobody looked at those requests, so the next request is just as unusual."""
    agent.poll(agent.request_approval()[0])
    _, approval = agent.request_approval()
    codes = {signal["code"] for signal in json.loads(approval.display)["unusual"]}
    assert "new_agent" in codes


def test_request_limits_do_not_stop_automatic_approvals(open_local, template):
    """Limits apply to asking people, but repeated denials do pause the agent."""
    local = open_local(open_per_agent=3)
    agent, person = template.agent(local), template.person(local)
    waiting = [agent.request_approval()[1] for _ in range(3)]
    Policies(local.services.store).set(OPEN, by=BY)
    consents.give(local, agent, person)
    assert agent.request_approval()[1].state is State.APPROVED
    for approval in waiting:
        assert person.deny(approval.id).status == 200
    assert agent.ask().json["reason"] == "denied_repeatedly"


def test_a_rule_that_allows_critical_risk_applies_with_hidden_users_too(open_local, template):
    """A rule that names critical risk covers requests while users are hidden."""
    local = open_local(unknown_user="hide")
    agent, person = template.agent(local), template.person(local)
    consents.give(local, agent, person)
    critical = ResourceChanges(scopes={"payments:read": Risk.CRITICAL})
    local.admin.resources.update(PAY, critical, by=BY)
    Policies(local.services.store).set(
        rule("allow", 'when.resource = ["*"]', 'when.risk.at_most = "critical"'), by=BY
    )
    assert agent.request_approval()[1].state is State.APPROVED


def test_explain_predicts_the_token_of_an_automatic_decision(local, allowed_consent):
    """Without the consent, explain predicts that the person is asked."""
    trials = Trials(local.services.store, local.server_policy, Evaluator(local.services.secrets))
    trial = TrialRequest("invoice-bot", "request", "ana", PAY, ("payments:read",))
    explanation = trials.explain(trial)
    assert (explanation.verdict.outcome, explanation.next_step, explanation.consent) == (
        "allow",
        "token",
        True,
    )
    local.site.consents.revoke(allowed_consent.id, by=BY)
    explanation = trials.explain(trial)
    assert (explanation.verdict.outcome, explanation.next_step, explanation.consent) == (
        "allow",
        "person",
        False,
    )


@pytest.mark.usefixtures("allowed_consent")
def test_a_replay_counts_automatic_decisions_as_allowed(agent, local):
    """A replay with rules that ask shows that people would have been asked."""
    agent.request_approval()
    agent.request_approval(login_hint="ana", acr_values="urn:sayso:acr:signed")
    replays = Replays(local.services.store, Evaluator(local.services.secrets))
    unchanged = replays.replay(DAY)
    assert (unchanged.before, unchanged.changed) == ({"allow": 1, "ask": 1}, 1)
    stricter = replays.replay(DAY, rule("ask", name="careful"))
    assert [(change.before, change.after, change.rules) for change in stricter.changes] == [
        ("allow", "ask", ("careful",))
    ]


def test_a_consent_does_not_satisfy_a_rule_that_asks_at_a_token_exchange(local, person, put):
    """A rule that asks requires a token that somebody signed for."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    bot = chains.agent("desk-bot", serves=(BANK,))
    chains.consent(bot, "bank:read")
    asks_there = rule("ask", 'when.at = ["exchange"]', name="careful")
    put(OPEN, asks_there)
    handle, _ = bot.request_approval(resource=BANK, scope="openid bank:read")
    token = bot.poll(handle).json["access_token"]
    assert chains.exchange(bot, token).refusal == (400, "interaction_required")
    replays = Replays(local.services.store, Evaluator(local.services.secrets))
    put(OPEN, rule("allow", 'when.resource = ["*"]', name="exchanges"))
    assert chains.exchange(bot, token).status == 200
    again = replays.replay(DAY, f"{OPEN}\n{asks_there}")
    assert [(change.flow, change.before, change.after) for change in again.changes] == [
        ("exchange", "allow", "ask")
    ]
