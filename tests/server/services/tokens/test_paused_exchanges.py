"""A pause after repeated denials also applies to token exchange."""

import json
from typing import Any

import pytest

from server.model.standing_grants import StandingGrant
from server.protocol.times import rfc3339
from server.services.notifications.request_limits import PAUSE_MS
from server.services.policy.policies import Policies
from tests.support.builders import standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import Answer, LocalSite
from tests.support.builders.token_chains import BANK, Chains
from tests.support.clients.agent import PAYMENT_DETAILS

ASK_WRITES = rule("ask", 'when.scope = ["bank:write"]', name="writes")
ALLOW = rule("allow", 'when.resource = ["*"]', name="rest")
ALLOW_PAYMENTS = rule("allow", 'when.type = ["payment.transfer"]', name="payments")
RULES = (ASK_WRITES, ALLOW, ALLOW_PAYMENTS)
SIGNED = "urn:sayso:acr:signed-pin"
WRITE_PARAMETERS: dict[str, Any] = {"scope": "bank:write"}
PAY_PARAMETERS: dict[str, Any] = {
    "resource": PAY,
    "scope": "payments:read",
    "authorization_details": json.dumps(PAYMENT_DETAILS),
}


@pytest.fixture
def chains(local: LocalSite, person: LocalTerminal) -> Chains:
    """Two APIs, and a user, Ana, who uses a chat app; only writes need her approval."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    standing_grants.lower(local)
    Policies(local.services.store).set("\n".join(RULES), by=BY)
    return chains


@pytest.fixture
def bot(chains: Chains) -> LocalAgent:
    """An agent that may read and write at the bank for Ana, and pay."""
    scopes = ("bank:read", "bank:write", "bank:close", "payments:read")
    agent = chains.agent("desk-bot", resources=(BANK, PAY), scopes=scopes)
    chains.consent(agent, "bank:read", "bank:write")
    chains.consent(agent, "payments:read", resource=PAY)
    return agent


@pytest.fixture
def grant(bot: LocalAgent, person: LocalTerminal, local: LocalSite) -> StandingGrant:
    """A standing grant for two writes at the bank."""
    handle = bot.ask(scope="openid bank:write", resource=BANK).json["auth_req_id"]
    return standing_grants.give(person, local.approval_for(handle), uses=2, sum=None, vary=[])


def _deny(agent: LocalAgent, person: LocalTerminal, **parameters: Any) -> None:
    """Let the person deny three requests that no grant or consent approves."""
    for _ in range(3):
        answer = agent.ask(acr_values=SIGNED, **parameters)
        assert answer.status == 200, answer.body
        approval = agent.local.approval_for(answer.json["auth_req_id"])
        assert person.deny(approval.id).status == 200


def _deny_scopes(agent: LocalAgent, person: LocalTerminal) -> None:
    _deny(agent, person, scope="openid bank:write", resource=BANK)


def _deny_payments(agent: LocalAgent, person: LocalTerminal) -> None:
    details = PAY_PARAMETERS["authorization_details"]
    _deny(agent, person, scope="openid", resource=PAY, authorization_details=details)


def _assert_paused(answer: Answer, paused_until: int) -> None:
    members = {name: answer.json.get(name) for name in ("reason", "retry", "retry_at")}
    assert answer.refusal == (403, "access_denied")
    assert members == {
        "reason": "denied_repeatedly",
        "retry": "not_before",
        "retry_at": rfc3339(paused_until),
    }


def test_a_standing_grant_does_not_approve_during_a_pause(
    chains: Chains, bot: LocalAgent, person: LocalTerminal, grant: StandingGrant
) -> None:
    """The grant is not used during the pause, and is used again after it."""
    local = chains.local
    _deny_scopes(bot, person)
    until = local.clock.now() + PAUSE_MS
    _assert_paused(bot.ask(scope="openid bank:write", resource=BANK), until)
    _assert_paused(chains.exchange(bot, chains.user_token(), **WRITE_PARAMETERS), until)
    assert chains.reasons() == ["denied_repeatedly"]
    assert standing_grants.reload_grant(local, grant).used == 0
    local.clock.forward(PAUSE_MS)
    assert chains.exchange(bot, chains.user_token(), **WRITE_PARAMETERS).status == 200
    assert standing_grants.reload_grant(local, grant).used == 1


def test_an_exchange_during_a_pause_returns_no_hint(
    chains: Chains, bot: LocalAgent, person: LocalTerminal
) -> None:
    """The hint would be useless, because a request would be refused for the same reason."""
    _deny_scopes(bot, person)
    until = chains.local.clock.now() + PAUSE_MS
    token = chains.user_token()
    _assert_paused(chains.exchange(bot, token, **WRITE_PARAMETERS), until)
    answer = chains.exchange(bot, token, scope="bank:close")
    _assert_paused(answer, until)
    assert "login_hint_token" not in answer.json


def test_consented_scopes_can_be_exchanged_during_a_pause(
    chains: Chains, bot: LocalAgent, person: LocalTerminal
) -> None:
    """A pause does not affect consents; the person can revoke the consent instead."""
    _deny_scopes(bot, person)
    assert chains.exchange(bot, chains.user_token(), scope="bank:read").status == 200


def test_a_paused_action_type_is_not_allowed_by_a_rule(
    chains: Chains, bot: LocalAgent, person: LocalTerminal
) -> None:
    """The pause applies only to the denied type, and a rule allows it again afterwards."""
    assert chains.exchange(bot, chains.user_token(), **PAY_PARAMETERS).status == 200
    _deny_scopes(bot, person)
    assert chains.exchange(bot, chains.user_token(), **PAY_PARAMETERS).status == 200
    _deny_payments(bot, person)
    _assert_paused(
        chains.exchange(bot, chains.user_token(), **PAY_PARAMETERS),
        chains.local.clock.now() + PAUSE_MS,
    )
    chains.local.clock.forward(PAUSE_MS)
    assert chains.exchange(bot, chains.user_token(), **PAY_PARAMETERS).status == 200


def test_an_approved_action_can_be_exchanged_during_a_pause(
    chains: Chains, agent: LocalAgent, person: LocalTerminal
) -> None:
    """A pause does not affect an action that the person has approved."""
    handle, approval = agent.request_payment()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    _deny_payments(payer, person)
    assert (
        chains.exchange(payer, token, **{**PAY_PARAMETERS, "scope": "payments:transfer"}).status
        == 200
    )
