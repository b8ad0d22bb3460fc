"""What a person signed goes down a chain as it was signed: by its own name, once, and no more."""

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
from tests.support.builders.token_chains import DESK, Chains
from tests.support.clients.agent import PAYMENT_DETAILS

SENT = json.dumps(PAYMENT_DETAILS)
AT_PAY = {"resource": PAY, "scope": "payments:transfer", "authorization_details": SENT}


@pytest.fixture
def chains(local, person):
    """Ana, and beside the payment API a desk."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


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


def _away(chains, agent, first, token):
    """The token after a way round by the desk, for which the first agent has a consent."""
    chains.consent(first, "desk:use", resource=DESK)
    return chains.exchanged(agent, token, resource=DESK, scope="desk:use")


def test_a_way_round_by_another_resource_does_not_lose_the_approval(
    chains, agent, person, teller, local
):
    """Back at the resource the token still says which answer it stands on, and that once."""
    local.desk.agents.update(
        "invoice-bot",
        AgentChanges(resources=(PAY, DESK), scopes=("payments:transfer", "desk:use")),
        by=BY,
    )
    token = agent.paid(person)
    away = _away(chains, teller, agent, token)
    assert "approval" not in local.claims(away)
    back = chains.exchanged(teller, away, resource=PAY, scope="payments:transfer")
    assert local.claims(back)["approval"] == local.claims(token)["approval"]
    assert local.claims(back)["acr"] == local.claims(token)["acr"]


def test_one_signature_is_for_one_payment(chains, agent, person, teller):
    """The same details twice are two payments, and nobody signed for the second."""
    token = agent.paid(person)
    twice = json.dumps(PAYMENT_DETAILS * 2)
    refused = chains.exchange(teller, token, **{**AT_PAY, "authorization_details": twice})
    assert refused.status == 400
    assert refused.json["error"] == "interaction_required"
    assert chains.reasons() == ["needs_person"]


def test_a_part_of_what_was_signed_runs_as_that_part_alone(chains, agent, person, teller, resource):
    """Whoever holds a narrowed token cannot have the resource run the rest of the approval."""
    other = {**PAYMENT_DETAILS[0], "payee": "Southwind"}
    both = [PAYMENT_DETAILS[0], other]
    token = agent.paid(person, authorization_details=json.dumps(both))
    part = chains.exchanged(teller, token, **AT_PAY)
    assert resource.consume(part, authorization_details=both).refusal == (403, "not_granted")
    assert resource.consume(part, authorization_details=[other]).refusal == (403, "not_granted")
    assert resource.consume(token, authorization_details=both).status == 200


def test_an_answer_to_a_smaller_question_gives_nothing_that_is_risky_now(
    chains, agent, person, teller, local
):
    """The scope was low when the person signed for it; now it takes a PIN."""
    handle, approval = agent.asked()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    asked = {"resource": PAY, "scope": "payments:read"}
    assert chains.exchange(teller, token, **asked).status == 200
    raised = ResourceChanges(scopes={"payments:read": Risk.HIGH})
    local.desk.resources.update(PAY, raised, by=BY)
    assert chains.exchange(teller, token, **asked).json["error"] == "interaction_required"
    assert chains.reasons() == ["needs_person"]


def test_the_token_says_how_the_person_answered_what_it_stands_on(
    chains, agent, person, teller, local
):
    """A stronger answer to another question on the way does not make this one stronger."""
    reach = AgentChanges(resources=(PAY, DESK), scopes=("payments:read", "desk:use"))
    local.desk.agents.update("invoice-bot", reach, by=BY)
    local.desk.resources.update(DESK, ResourceChanges(scopes={"desk:use": Risk.HIGH}), by=BY)
    handle, approval = agent.asked()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    hint = chains.exchange(teller, token, resource=DESK, scope="desk:use").json["login_hint_token"]
    handle, stronger = teller.asked(
        login_hint=None, login_hint_token=hint, scope="openid", resource=None
    )
    assert person.approve(stronger.id).status == 200
    away = teller.poll(handle).json["access_token"]
    assert local.claims(away)["acr"] == ACR_SIGNED_PIN
    back = local.claims(chains.exchanged(teller, away, resource=PAY, scope="payments:read"))
    assert (back["acr"], back["approval"]["id"]) == (ACR_SIGNED, approval.id)


@pytest.mark.parametrize(
    "lines",
    [("ask.quorum = 2", 'ask.who = ["ana", "bob"]'), ('ask.who = ["bob"]',)],
    ids=["two of two", "somebody else"],
)
def test_whoever_said_yes_is_known_down_the_chain(chains, agent, person, teller, lines):
    """It takes nobody again where they are whom policy wants; another's yes is not theirs."""
    local = chains.local
    bob = new_person(local, "bob")
    Policies(local.services.store).set(rule("ask", *lines), by=BY)
    handle, approval = agent.asked_payment()
    for somebody in (bob, person)[: approval.quorum]:
        assert somebody.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    assert chains.exchange(teller, token, **AT_PAY).status == 200
    Policies(local.services.store).set(rule("ask", 'ask.who = ["admin"]'), by=BY)
    assert chains.exchange(teller, token, **AT_PAY).json["error"] == "interaction_required"
    assert chains.reasons() == ["needs_person"]
