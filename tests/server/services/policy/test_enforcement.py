"""Enforcement of policy at exchanges, client credentials, requests and redemption."""

import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains
from tests.support.clients.agent import PAYMENT_DETAILS

FORBIDDEN = (403, "access_denied")
APPROVAL_NEEDED = (400, "interaction_required")
ALLOW_ALL = rule("allow", 'when.resource = ["*"]', name="open", because="Everything is open.")


@pytest.fixture
def put(local):
    """A function that puts a rule set in force."""

    def put_rules(*rules):
        return Policies(local.services.store).set("\n".join(rules), by=BY)

    return put_rules


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


@pytest.fixture
def bot(chains):
    """An agent that may read and write at the bank for Ana."""
    agent = chains.agent("desk-bot")
    chains.consent(agent, "bank:read", "bank:write")
    return agent


def _policy_facts(entry):
    policy = entry["facts"]["policy"]
    return policy["outcome"], policy["rules"]


def test_a_deny_rule_refuses_an_exchange_with_policy_denied(chains, bot, local, put):
    """The audit log names the rule and the rule set; the agent is not told them."""
    row = put(rule("deny", 'when.scope = ["bank:read"]', name="no-bank"), ALLOW_ALL)
    answer = chains.exchange(bot, chains.user_token())
    assert answer.refusal == FORBIDDEN
    assert answer.json["reason"] == "policy_denied"
    assert "login_hint_token" not in answer.json
    assert "no-bank" not in answer.body.decode()
    entry = local.admin.entries("exchange.refused")[-1]
    assert (entry["cause"], _policy_facts(entry)) == ("policy_denied", ("deny", ["no-bank"]))
    assert entry["facts"]["policy"]["hash"] == row.hash


def test_an_ask_rule_needs_an_approval_for_an_exchange(chains, bot, person, local, put):
    """The hint leads to a request that displays the reason; the token cites the approval."""
    put(rule("ask", 'when.resource = ["*"]', name="careful", because="We are careful."), ALLOW_ALL)
    refused = chains.exchange(bot, chains.user_token())
    assert refused.refusal == APPROVAL_NEEDED
    assert _policy_facts(local.admin.entries("exchange.refused")[-1]) == ("ask", ["careful"])
    hint = refused.json["login_hint_token"]
    answer = bot.ask(login_hint=None, login_hint_token=hint, scope="openid", resource=None)
    assert answer.status == 200, answer.body
    approval = local.approval_for(answer.json["auth_req_id"])
    assert json.loads(approval.display)["why"] == "We are careful."
    assert json.loads(approval.policy)["rules"] == ["careful"]
    person.approve(approval.id)
    token = bot.poll(answer.json["auth_req_id"]).json["access_token"]
    assert local.claims(token)["approval"]["id"] == approval.id
    for kind in ("approval.requested", "approval.approved", "token.issued"):
        assert _policy_facts(local.admin.entries(kind)[-1]) == ("ask", ["careful"])


def test_an_allow_rule_permits_an_exchange(chains, bot, local, put):
    """The default rules allow up to medium risk; the audit log names the rule."""
    chains.exchanged(bot, chains.user_token())
    assert _policy_facts(local.admin.entries("token.issued")[-1]) == ("allow", ["usual-access"])
    put(ALLOW_ALL)
    chains.exchanged(bot, chains.user_token())
    assert _policy_facts(local.admin.entries("token.issued")[-1]) == ("allow", ["open"])


def test_an_allow_rule_for_an_action_needs_a_consent(chains, local, put):
    """Without a consent, the agent cannot act for the person, even if a rule allows the payment."""
    put(rule("allow", 'when.type = ["payment.transfer"]', 'when.risk.at_most = "high"'))
    payer = chains.agent("payer")
    sent = {"authorization_details": json.dumps(PAYMENT_DETAILS), "scope": None}
    refused = chains.exchange(payer, chains.user_token(), **sent)
    assert refused.refusal == APPROVAL_NEEDED
    assert chains.reasons() == ["consent_missing"]
    chains.consent(payer, "bank:read")
    exchanged_token = chains.exchanged(payer, chains.user_token(), **sent)
    assert local.claims(exchanged_token)["authorization_details"] == PAYMENT_DETAILS
    assert "approval" not in local.claims(exchanged_token)
    assert chains.row(exchanged_token).consent_id


def test_client_credentials_follow_policy(agent, local, put):
    """A refusal says whether a person could approve the request; the audit log names the rule."""
    assert agent.alone().status == 200
    assert _policy_facts(local.admin.entries("token.issued")[-1]) == ("allow", ["usual-access"])
    assert agent.alone(scope="payments:transfer").refusal == APPROVAL_NEEDED
    entry = local.admin.entries("token.refused")[-1]
    assert (entry["cause"], entry["posture"], _policy_facts(entry)) == (
        "needs_person",
        "high",
        ("ask", ["high-risk"]),
    )
    put(rule("deny", 'when.at = ["client_credentials"]', name="never-alone"), ALLOW_ALL)
    refused = agent.alone()
    assert (refused.refusal, refused.json["reason"]) == (FORBIDDEN, "policy_denied")
    assert _policy_facts(local.admin.entries("token.refused")[-1]) == ("deny", ["never-alone"])


def test_a_deny_rule_refuses_a_request(agent, person, local, put):
    """The audit log names the rule, and nobody is asked."""
    put(rule("deny", 'when.user = ["ana"]', 'when.at = ["request"]', name="not-ana"))
    refused = agent.ask()
    assert (refused.refusal, refused.json["reason"]) == (FORBIDDEN, "policy_denied")
    entry = local.admin.entries("approval.refused")[-1]
    assert (entry["cause"], _policy_facts(entry)) == ("policy_denied", ("deny", ["not-ana"]))
    new_person(local, "ben")
    assert agent.ask(login_hint="ben").status == 200
    assert person.call("GET", "/api/approvals").json["items"] == []


def test_an_allow_rule_without_a_consent_asks_the_person(agent, person, local, put):
    """The display says that the consent is missing."""
    put(ALLOW_ALL)
    _, approval = agent.request_approval()
    why = "A rule allows this, but you have not consented to it."
    assert json.loads(approval.display)["why"] == why
    assert local.stored_approval(approval.id).state is State.PENDING
    assert person.approve(approval.id).status == 200


def test_a_rule_raises_risk_and_ceremony_and_shortens_the_expiry(agent, person, put):
    """An approval without the PIN is then refused."""
    put(rule("ask", 'ask.risk = "high"', 'ask.ttl = "2m"'))
    handle, approval = agent.request_approval()
    assert (approval.risk, approval.ceremony) == (Risk.HIGH, "pin")
    assert approval.expires_at - approval.created_at == 120_000
    assert "Policy or the agent raised the risk." in approval.display
    weak = person.send_decision(approval.id, person.decision(approval.id))
    assert weak.refusal == (403, "pin_required")
    assert person.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200


def test_a_rule_may_let_one_person_approve_critical_requests(agent, person, local, put):
    """The audit entry says self-approved; without the rule the request is refused."""
    critical = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, critical, by=BY)
    assert agent.ask_payment(login_hint="admin").refusal == FORBIDDEN
    assert local.admin.entries("approval.refused")[-1]["cause"] == "too_few_people"
    put(rule("ask", "ask.quorum = 1", 'when.risk.at_least = "critical"'))
    handle, approval = agent.request_payment()
    assert (approval.risk, approval.ceremony) == (Risk.CRITICAL, "pin+reason")
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert local.admin.entries("approval.approved")[-1]["facts"]["self_approved"] is True


TIGHTENED = {
    "a rule that forbids": rule("deny", 'when.scope = ["payments:read"]'),
    "a rule that raises the risk": rule("ask", 'ask.risk = "medium"'),
    "a rule that requires the PIN": rule("ask", 'ask.ceremony = "pin"'),
    "a rule that asks another person": rule("ask", 'ask.who = ["ben"]'),
    "a rule that requires two approvals": rule("ask", "ask.quorum = 2"),
    "a rule that excludes the user": rule("ask", 'ask.exclude = ["user"]'),
}


@pytest.mark.parametrize("rules", TIGHTENED.values(), ids=TIGHTENED)
@pytest.mark.parametrize("approved_before", [False, True], ids=["pending", "approved"])
def test_a_stricter_rule_cancels_pending_and_approved_requests(
    agent, person, local, put, rules, approved_before
):
    """The reason is policy_changed, and no token is issued."""
    new_person(local, "ben")
    handle, approval = agent.request_approval()
    if approved_before:
        assert person.approve(approval.id).status == 200
    put(rules)
    if not approved_before:
        assert person.approve(approval.id).refusal == (409, "not_pending")
    assert agent.poll(handle).status == 400
    assert local.stored_approval(approval.id).reason == "policy_changed"
    assert local.admin.entries("token.issued") == []


def test_a_rule_satisfied_by_the_approval_keeps_it(agent, person, put):
    """The approval can still be redeemed after such a rule is set."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    put(rule("ask", 'ask.who = ["ana"]', 'ask.ttl = "30s"'))
    assert agent.poll(handle).status == 200


def test_a_count_rule_denies_requests_above_its_count(agent, put):
    """Each token counts for an hour after it was issued."""
    put(rule("deny", 'when.count = { over = 2, within = "1h" }'), ALLOW_ALL)
    assert [agent.alone().status for _ in range(4)] == [200, 200, 403, 403]
    agent.local.clock.forward(3_600_000)
    assert agent.alone().status == 200


def test_a_payee_is_known_after_an_approved_token(agent, person, put):
    """A pending request does not make its payee known."""
    put(rule("ask", 'when.first_time = ["/payee"]', 'ask.ttl = "1m"', name="new-payee"))

    def request_payment():
        handle, approval = agent.request_payment()
        return handle, approval, (approval.expires_at - approval.created_at) // 1000

    assert request_payment()[2] == 60
    handle, approval, seconds = request_payment()
    assert seconds == 60
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert request_payment()[2] == 600


def test_with_hidden_users_a_rule_about_a_user_is_not_revealed(open_local, template):
    """The agent gets the same responses for a user whom a rule denies as for an unknown user."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    Policies(local.services.store).set(rule("deny", 'when.user = ["ana"]'), by=BY)
    for name in ("ana", "nobody"):
        handle, approval = agent.request_approval(login_hint=name)
        assert approval.user_id is None
        assert agent.poll(handle).status == 400
    Policies(local.services.store).set(rule("deny"), by=BY)
    for name in ("ana", "nobody"):
        assert agent.ask(login_hint=name).refusal == FORBIDDEN


def test_an_approval_with_a_weaker_ceremony_does_not_satisfy_a_pin_rule(chains, person, put):
    """After a PIN rule is set, the same exchange needs a new approval."""
    put(rule("ask", 'when.resource = ["*"]'))
    bot = chains.agent("desk-bot", serves=("https://desk.example", BANK))
    refused = chains.exchange(bot, chains.user_token())
    hint = refused.json["login_hint_token"]
    answer = bot.ask(login_hint=None, login_hint_token=hint, scope="openid", resource=None)
    person.approve(chains.local.approval_for(answer.json["auth_req_id"]).id)
    token = bot.poll(answer.json["auth_req_id"]).json["access_token"]
    assert chains.exchange(bot, token).status == 200
    put(rule("ask", 'when.resource = ["*"]', 'ask.ceremony = "pin"'))
    assert chains.exchange(bot, token).refusal == APPROVAL_NEEDED
