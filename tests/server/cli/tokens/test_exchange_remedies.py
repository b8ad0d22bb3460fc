"""Remedies for refused exchanges are complete commands."""

from dataclasses import replace

import pytest

from server.cli.tokens.token import REMEDIES, remedy
from server.protocol.tokens.exchange_refusals import Reason
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges
from server.services.policy.evaluation import Evaluator
from server.services.tokens.exchange_checks import ExchangeChecks
from server.services.tokens.explanations import Explanations
from server.services.tokens.issued_tokens import IssuedTokens
from tests.support.builders.installation import BY
from tests.support.builders.token_chains import BANK, DESK, Chains


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app, and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


@pytest.fixture
def explanations(local):
    """Explanations built in the same way as by `sayso token explain`."""
    services = local.services
    return Explanations(
        services.store,
        IssuedTokens(services.verifier, services.server_policy),
        ExchangeChecks(Evaluator(services.secrets), services.server_policy),
    )


@pytest.fixture
def bot(chains):
    """An agent that serves the support desk."""
    return chains.agent("desk-bot")


def _update(chains, **changes):
    chains.local.admin.agents.update("desk-bot", AgentChanges(**changes), by=BY)


def test_every_reason_has_a_remedy():
    """Each reason has a remedy, and each remedy has a reason."""
    assert set(REMEDIES) == set(Reason)


def test_a_remedy_has_names_and_keeps_the_agents_lists(chains, bot, explanations):
    """A flag replaces the whole list, so the command repeats the old values."""
    _update(chains, serves=(DESK,), resources=(DESK,), scopes=("desk:use",))
    chains.exchange(bot, chains.user_token())
    assert remedy(explanations.exchange(None)).endswith(
        f"sayso agents update desk-bot --resource {DESK} --resource {BANK}"
    )
    _update(chains, serves=(BANK,), resources=(DESK, BANK), scopes=("desk:use", "bank:read"))
    chains.exchange(bot, chains.user_token())
    assert remedy(explanations.exchange(None)).endswith(
        f"sayso agents update desk-bot --serves {BANK} --serves {DESK}"
    )
    _update(chains, serves=(DESK,))
    chains.exchange(bot, chains.user_token())
    assert remedy(explanations.exchange(None)) == (
        f"Have ana consent to desk-bot at {BANK}, or approve this request at /bc-authorize."
    )


def test_a_remedy_names_the_disabled_or_expired_agent_of_the_chain(chains, bot, explanations):
    """The remedy names that agent and not the agent that requested the exchange."""
    front = chains.agent("front desk")
    chains.consent(front, "desk:use", "bank:read", resource=DESK)
    call = chains.exchanged(front, chains.user_token(), resource=DESK, scope="desk:use")
    row = chains.row(call)
    chains.local.admin.agents.disable("front desk", by=BY)
    fresh = replace(row, id="sayso_at_again")
    with chains.local.services.store.write() as tx:
        tx.delegations.add(fresh)
    chains.exchange(bot, chains.sign(fresh))
    explanation = explanations.exchange(None)
    assert explanation.reason is Reason.ACTOR_DISABLED
    assert remedy(explanation).endswith("sayso agents enable 'front desk'")
    chains.local.admin.agents.enable("front desk", by=BY)
    expiring = AgentChanges(expires_at=chains.local.clock.now() + 1)
    chains.local.admin.agents.update("front desk", expiring, by=BY)
    chains.local.clock.forward(2)
    assert remedy(explanations.exchange(None)).endswith(
        "sayso agents update 'front desk' --expires 30d"
    )


def test_a_remedy_names_the_disabled_app(chains, bot, explanations):
    """The remedy contains the command that enables the app."""
    token = chains.user_token()
    chains.local.admin.apps.update("chat", AppChanges(enabled=False), by=BY)
    row = replace(chains.row(token), id="sayso_at_again", revoked_at=None)
    with chains.local.services.store.write() as tx:
        tx.delegations.add(row)
    chains.exchange(bot, chains.sign(row))
    explanation = explanations.exchange(None)
    assert (explanation.reason, explanation.current_reason) == (
        Reason.APP_DISABLED,
        Reason.APP_DISABLED,
    )
    assert remedy(explanation).endswith("sayso apps update chat --enable")
