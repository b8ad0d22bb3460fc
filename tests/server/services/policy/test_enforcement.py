"""Enforcement of policy: at exchanges, client credentials, requests and redemption."""

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
ASKED = (400, "interaction_required")
OPEN = rule("allow", 'when.resource = ["*"]', name="open", because="Everything is open.")


@pytest.fixture
def put(local):
    """Puts a rule set in force."""

    def put_rules(*rules):
        return Policies(local.services.store).set("\n".join(rules), by=BY)

    return put_rules


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app, and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


@pytest.fixture
def bot(chains):
    """An agent that may read and write at the bank for Ana."""
    agent = chains.agent("desk-bot")
    chains.consent(agent, "bank:read", "bank:write")
    return agent


def _policy_of(entry):
    policy = entry["facts"]["policy"]
    return policy["outcome"], policy["rules"]


def test_a_deny_rule_refuses_an_exchange_with_policy_denied(chains, bot, local, put):
    """The audit log names the rule and the set; the agent does not learn them."""
    row = put(rule("deny", 'when.scope = ["bank:read"]', name="no-bank"), OPEN)
    answer = chains.exchange(bot, chains.user_token())
    assert answer.refusal == FORBIDDEN
    assert answer.json["reason"] == "policy_denied"
    assert "login_hint_token" not in answer.json
    assert "no-bank" not in answer.body.decode()
    entry = local.admin.entries("exchange.refused")[-1]
    assert (entry["cause"], _policy_of(entry)) == ("policy_denied", ("deny", ["no-bank"]))
    assert entry["facts"]["policy"]["hash"] == row.hash


def test_an_ask_rule_needs_an_approval_for_an_exchange(chains, bot, person, local, put):
    """The hint asks for that target, the display has the reason, the token the approval."""
    put(rule("ask", 'when.resource = ["*"]', name="careful", because="We are careful."), OPEN)
    refused = chains.exchange(bot, chains.user_token())
    assert refused.refusal == ASKED
    assert _policy_of(local.admin.entries("exchange.refused")[-1]) == ("ask", ["careful"])
    hint = refused.json["login_hint_token"]
    answer = bot.ask(login_hint=None, login_hint_token=hint, scope="openid", resource=None)
    assert answer.status == 200, answer.body
    approval = local.behind(answer.json["auth_req_id"])
    assert json.loads(approval.display)["why"] == "We are careful."
    assert json.loads(approval.policy)["rules"] == ["careful"]
    person.approve(approval.id)
    token = bot.poll(answer.json["auth_req_id"]).json["access_token"]
    assert local.claims(token)["approval"]["id"] == approval.id
    for kind in ("approval.requested", "approval.approved", "token.issued"):
        assert _policy_of(local.admin.entries(kind)[-1]) == ("ask", ["careful"])


def test_an_allow_rule_permits_an_exchange(chains, bot, local, put):
    """The default rules do so up to medium risk; the audit log names the rule."""
    chains.exchanged(bot, chains.user_token())
    assert _policy_of(local.admin.entries("token.issued")[-1]) == ("allow", ["usual-access"])
    put(OPEN)
    chains.exchanged(bot, chains.user_token())
    assert _policy_of(local.admin.entries("token.issued")[-1]) == ("allow", ["open"])


def test_an_allow_rule_for_an_action_needs_a_consent(chains, local, put):
    """However small the payment."""
    put(rule("allow", 'when.type = ["payment.transfer"]', 'when.risk.at_most = "high"'))
    payer = chains.agent("payer")
    sent = {"authorization_details": json.dumps(PAYMENT_DETAILS), "scope": None}
    refused = chains.exchange(payer, chains.user_token(), **sent)
    assert refused.refusal == ASKED
    assert chains.reasons() == ["consent_missing"]
    chains.consent(payer, "bank:read")
    exchanged_token = chains.exchanged(payer, chains.user_token(), **sent)
    assert local.claims(exchanged_token)["authorization_details"] == PAYMENT_DETAILS
    assert "approval" not in local.claims(exchanged_token)
    assert chains.row(exchanged_token).consent_id


def test_client_credentials_follow_policy(agent, local, put):
    """A refusal says whether a person could approve it; the log names the rule."""
    assert agent.alone().status == 200
    assert _policy_of(local.admin.entries("token.issued")[-1]) == ("allow", ["usual-access"])
    assert agent.alone(scope="payments:transfer").refusal == ASKED
    entry = local.admin.entries("token.refused")[-1]
    assert (entry["cause"], entry["posture"], _policy_of(entry)) == (
        "needs_person",
        "high",
        ("ask", ["high-risk"]),
    )
    put(rule("deny", 'when.at = ["client_credentials"]', name="never-alone"), OPEN)
    refused = agent.alone()
    assert (refused.refusal, refused.json["reason"]) == (FORBIDDEN, "policy_denied")
    assert _policy_of(local.admin.entries("token.refused")[-1]) == ("deny", ["never-alone"])


def test_a_deny_rule_refuses_a_request(agent, person, local, put):
    """The audit log names the rule; nobody is asked."""
    put(rule("deny", 'when.user = ["ana"]', 'when.at = ["request"]', name="not-ana"))
    refused = agent.ask()
    assert (refused.refusal, refused.json["reason"]) == (FORBIDDEN, "policy_denied")
    entry = local.admin.entries("approval.refused")[-1]
    assert (entry["cause"], _policy_of(entry)) == ("policy_denied", ("deny", ["not-ana"]))
    new_person(local, "ben")
    assert agent.ask(login_hint="ben").status == 200
    assert person.call("GET", "/api/approvals").json["items"] == []


def test_an_allow_rule_without_a_consent_asks_the_person(agent, person, local, put):
    """The display says why."""
    put(OPEN)
    _, approval = agent.asked()
    why = "A rule allows this, but you have not consented to it."
    assert json.loads(approval.display)["why"] == why
    assert local.stored(approval.id).state is State.PENDING
    assert person.approve(approval.id).status == 200


def test_a_rule_raises_risk_and_ceremony_and_shortens_the_expiry(agent, person, put):
    """An approval without the PIN is refused."""
    put(rule("ask", 'ask.risk = "high"', 'ask.ttl = "2m"'))
    handle, approval = agent.asked()
    assert (approval.risk, approval.ceremony) == (Risk.HIGH, "pin")
    assert approval.expires_at - approval.created_at == 120_000
    assert "Policy or the agent raised the risk." in approval.display
    weak = person.send_decision(approval.id, person.decision(approval.id))
    assert weak.refusal == (403, "pin_required")
    assert person.approve(approval.id).status == 200
    assert agent.poll(handle).status == 200


def test_a_rule_may_let_one_person_approve_critical_requests(agent, person, local, put):
    """The audit entry says self-approved; without the rule the request is refused."""
    more = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, more, by=BY)
    assert agent.ask_payment(login_hint="admin").refusal == FORBIDDEN
    assert local.admin.entries("approval.refused")[-1]["cause"] == "too_few_people"
    put(rule("ask", "ask.quorum = 1", 'when.risk.at_least = "critical"'))
    handle, approval = agent.asked_payment()
    assert (approval.risk, approval.ceremony) == (Risk.CRITICAL, "pin+reason")
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert local.admin.entries("approval.approved")[-1]["facts"]["self_approved"] is True


TIGHTENED = {
    "a rule that forbids": rule("deny", 'when.scope = ["payments:read"]'),
    "a rule that raises the risk": rule("ask", 'ask.risk = "medium"'),
    "a rule that wants the PIN": rule("ask", 'ask.ceremony = "pin"'),
    "a rule that asks somebody else": rule("ask", 'ask.who = ["ben"]'),
    "a rule that wants two": rule("ask", "ask.quorum = 2"),
    "a rule that excludes them": rule("ask", 'ask.exclude = ["user"]'),
}


@pytest.mark.parametrize("rules", TIGHTENED.values(), ids=TIGHTENED)
@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after it"])
def test_a_stricter_rule_cancels_pending_and_approved_requests(
    agent, person, local, put, rules, answered
):
    """No token is issued."""
    new_person(local, "ben")
    handle, approval = agent.asked()
    if answered:
        assert person.approve(approval.id).status == 200
    put(rules)
    if not answered:
        assert person.approve(approval.id).refusal == (409, "not_pending")
    assert agent.poll(handle).status == 400
    assert local.stored(approval.id).reason == "policy_changed"
    assert local.admin.entries("token.issued") == []


def test_a_rule_satisfied_by_the_approval_keeps_it(agent, person, put):
    """It is redeemed."""
    handle, approval = agent.asked()
    person.approve(approval.id)
    put(rule("ask", 'ask.who = ["ana"]', 'ask.ttl = "30s"'))
    assert agent.poll(handle).status == 200


def test_a_count_rule_denies_beyond_its_count(agent, put):
    """Each token counts, in a sliding window."""
    put(rule("deny", 'when.count = { over = 2, within = "1h" }'), OPEN)
    assert [agent.alone().status for _ in range(4)] == [200, 200, 403, 403]
    agent.local.clock.forward(3_600_000)
    assert agent.alone().status == 200


def test_a_payee_is_known_after_an_approved_token(agent, person, put):
    """A request alone does not make it known."""
    put(rule("ask", 'when.first_time = ["/payee"]', 'ask.ttl = "1m"', name="new-payee"))

    def request_payment():
        handle, approval = agent.asked_payment()
        return handle, approval, (approval.expires_at - approval.created_at) // 1000

    assert request_payment()[2] == 60
    handle, approval, seconds = request_payment()
    assert seconds == 60
    person.approve(approval.id)
    assert agent.poll(handle).status == 200
    assert request_payment()[2] == 600


def test_with_hidden_users_a_rule_about_a_user_is_not_revealed(open_local, template):
    """A denied person looks like an unknown one."""
    local = open_local(unknown_user="hide")
    agent = template.agent(local)
    Policies(local.services.store).set(rule("deny", 'when.user = ["ana"]'), by=BY)
    for name in ("ana", "nobody"):
        handle, approval = agent.asked(login_hint=name)
        assert approval.user_id is None
        assert agent.poll(handle).status == 400
    Policies(local.services.store).set(rule("deny"), by=BY)
    for name in ("ana", "nobody"):
        assert agent.ask(login_hint=name).refusal == FORBIDDEN


def test_an_approval_with_a_weaker_ceremony_does_not_satisfy_a_pin_rule(chains, person, put):
    """The exchange asks for a new approval."""
    put(rule("ask", 'when.resource = ["*"]'))
    bot = chains.agent("desk-bot", serves=("https://desk.example", BANK))
    refused = chains.exchange(bot, chains.user_token())
    hint = refused.json["login_hint_token"]
    answer = bot.ask(login_hint=None, login_hint_token=hint, scope="openid", resource=None)
    person.approve(chains.local.behind(answer.json["auth_req_id"]).id)
    token = bot.poll(answer.json["auth_req_id"]).json["access_token"]
    assert chains.exchange(bot, token).status == 200
    put(rule("ask", 'when.resource = ["*"]', 'ask.ceremony = "pin"'))
    assert chains.exchange(bot, token).refusal == ASKED
