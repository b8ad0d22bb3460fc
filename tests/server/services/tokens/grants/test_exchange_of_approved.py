"""Token exchange of an approved token: an approval covers exactly what the person signed."""

import json

import pytest

from server.protocol.names import ACR_SIGNED, ACR_SIGNED_PIN, GRANT_CIBA, GRANT_TOKEN_EXCHANGE
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders.callers import new_person
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import DESK
from tests.support.clients.agent import PAYMENT_DETAILS

SENT_DETAILS = json.dumps(PAYMENT_DETAILS)
AT_PAY = {"resource": PAY, "scope": "payments:transfer", "authorization_details": SENT_DETAILS}


@pytest.fixture
def teller(chains):
    """An agent behind the payment API, which may call the desk and pay."""
    return chains.agent(
        "teller",
        serves=(PAY, DESK),
        resources=(PAY, DESK),
        scopes=("payments:transfer", "payments:read", "desk:use"),
        grant_types=(GRANT_CIBA, GRANT_TOKEN_EXCHANGE),
    )


def _exchange_for_desk(chains, agent, first_agent, token):
    """Return a token for the desk; the first agent of the chain gets a consent for that."""
    chains.consent(first_agent, "desk:use", resource=DESK)
    return chains.exchanged(agent, token, resource=DESK, scope="desk:use")


def test_an_exchange_for_another_resource_and_back_keeps_the_approval(
    chains, agent, person, teller, local
):
    """Back at the first resource, the token names the approval again."""
    local.admin.agents.update(
        "invoice-bot",
        AgentChanges(resources=(PAY, DESK), scopes=("payments:transfer", "desk:use")),
        by=BY,
    )
    token = agent.paid(person)
    desk_token = _exchange_for_desk(chains, teller, agent, token)
    assert "approval" not in local.claims(desk_token)
    back = chains.exchanged(teller, desk_token, resource=PAY, scope="payments:transfer")
    assert local.claims(back)["approval"] == local.claims(token)["approval"]
    assert local.claims(back)["acr"] == local.claims(token)["acr"]


def test_an_approval_does_not_cover_the_same_payment_twice(chains, agent, person, teller):
    """Details that are sent twice are two payments, so a person must approve again."""
    token = agent.paid(person)
    two_payments = json.dumps(PAYMENT_DETAILS * 2)
    answer = chains.exchange(teller, token, **{**AT_PAY, "authorization_details": two_payments})
    assert answer.status == 400
    assert answer.json["error"] == "interaction_required"
    assert chains.reasons() == ["needs_person"]


def test_a_token_for_one_action_cannot_consume_all_actions(chains, agent, person, teller, resource):
    """A token for one payment cannot consume another; the original token can consume both."""
    other_payment = {**PAYMENT_DETAILS[0], "payee": "Southwind"}
    both_payments = [PAYMENT_DETAILS[0], other_payment]
    token = agent.paid(person, authorization_details=json.dumps(both_payments))
    partial_token = chains.exchanged(teller, token, **AT_PAY)
    assert resource.consume(partial_token, authorization_details=both_payments).refusal == (
        403,
        "not_granted",
    )
    assert resource.consume(partial_token, authorization_details=[other_payment]).refusal == (
        403,
        "not_granted",
    )
    assert resource.consume(token, authorization_details=both_payments).status == 200


def test_an_approval_at_lower_risk_does_not_cover_a_raised_risk(
    chains, agent, person, teller, local
):
    """An approval without the PIN does not count once the scope needs the PIN."""
    handle, approval = agent.request_approval()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    target = {"resource": PAY, "scope": "payments:read"}
    assert chains.exchange(teller, token, **target).status == 200
    changes = ResourceChanges(scopes={"payments:read": Risk.HIGH})
    local.admin.resources.update(PAY, changes, by=BY)
    assert chains.exchange(teller, token, **target).json["error"] == "interaction_required"
    assert chains.reasons() == ["needs_person"]


def test_acr_comes_from_the_original_approval(chains, agent, person, teller, local):
    """A stronger approval for a different resource does not count."""
    permissions = AgentChanges(resources=(PAY, DESK), scopes=("payments:read", "desk:use"))
    local.admin.agents.update("invoice-bot", permissions, by=BY)
    local.admin.resources.update(DESK, ResourceChanges(scopes={"desk:use": Risk.HIGH}), by=BY)
    handle, approval = agent.request_approval()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    hint = chains.exchange(teller, token, resource=DESK, scope="desk:use").json["login_hint_token"]
    handle, stronger = teller.request_approval(
        login_hint=None, login_hint_token=hint, scope="openid", resource=None
    )
    assert person.approve(stronger.id).status == 200
    desk_token = teller.poll(handle).json["access_token"]
    assert local.claims(desk_token)["acr"] == ACR_SIGNED_PIN
    back = local.claims(chains.exchanged(teller, desk_token, resource=PAY, scope="payments:read"))
    assert (back["acr"], back["approval"]["id"]) == (ACR_SIGNED, approval.id)


@pytest.mark.parametrize(
    "lines",
    [("ask.quorum = 2", 'ask.who = ["ana", "bob"]'), ('ask.who = ["bob"]',)],
    ids=["two of two", "somebody else"],
)
def test_approvers_are_tracked_through_the_chain(chains, agent, person, teller, lines):
    """Only the people who approved count as approvers, even after several exchanges."""
    local = chains.local
    bob = new_person(local, "bob")
    Policies(local.services.store).set(rule("ask", *lines), by=BY)
    handle, approval = agent.request_payment()
    for approver in (bob, person)[: approval.quorum]:
        assert approver.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    assert chains.exchange(teller, token, **AT_PAY).status == 200
    Policies(local.services.store).set(rule("ask", 'ask.who = ["admin"]'), by=BY)
    assert chains.exchange(teller, token, **AT_PAY).json["error"] == "interaction_required"
    assert chains.reasons() == ["needs_person"]
