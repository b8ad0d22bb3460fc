"""A refused exchange is explained from the audit log: the step, and the result today."""

import json
from dataclasses import replace

import pytest

from server.protocol.tokens.exchange_refusals import Reason
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.evaluation import Evaluator
from server.services.refusals import Invalid, NotFound
from server.services.tokens.exchange_checks import ExchangeChecks
from server.services.tokens.explanations import Explanations
from server.services.tokens.issued_tokens import IssuedTokens
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER
from tests.support.builders.token_chains import APP, BANK, DESK
from tests.support.clients.agent import PAYMENT_DETAILS


@pytest.fixture
def explanations(local):
    """The service, built as for the command line."""
    services = local.services
    return Explanations(
        services.store,
        IssuedTokens(services.verifier, services.server_policy),
        ExchangeChecks(Evaluator(services.secrets), services.server_policy),
    )


@pytest.fixture
def bot(chains):
    """An agent that serves the desk API."""
    return chains.agent("desk-bot")


def _update(chains, **changes):
    chains.local.admin.agents.update("desk-bot", AgentChanges(**changes), by=BY)


def test_a_refusal_names_its_step_and_says_if_it_would_pass_now(chains, bot, explanations):
    """Once the agent serves the resource, the explanation says that the exchange would pass."""
    chains.consent(bot, "bank:read")
    _update(chains, serves=())
    token = chains.user_token()
    assert chains.exchange(bot, token).status == 400
    explanation = explanations.exchange(None)
    assert (explanation.reason, explanation.refusal.step) == (Reason.NOT_SERVED, 7)
    assert explanation.step == "the caller may exchange it"
    assert (explanation.agent, explanation.user) == ("desk-bot", "ana")
    assert [delegation.client_name for delegation in explanation.chain] == ["chat"]
    assert (explanation.replayed, explanation.current_reason) == (True, Reason.NOT_SERVED)
    _update(chains, serves=(DESK,))
    later_explanation = explanations.exchange(None)
    assert (later_explanation.replayed, later_explanation.current_reason) == (True, None)


def test_a_refusal_is_found_by_its_entry_id(chains, bot, explanations):
    """Without an ID, the newest refusal is explained; an unknown ID is not found."""
    with pytest.raises(NotFound, match=r"There is no refused exchange\."):
        explanations.exchange(None)
    chains.exchange(bot, chains.user_token())
    chains.exchange(bot, chains.user_token(), resource="https://nowhere.example")
    newest = explanations.exchange(None)
    assert newest.reason is Reason.TARGET_BEYOND
    first = chains.local.admin.entries("exchange.refused")[0]
    assert explanations.exchange(first["id"]).reason is Reason.CONSENT_MISSING
    with pytest.raises(NotFound):
        explanations.exchange("unknown")


def test_an_explanation_lists_every_limit_of_the_scopes(chains, bot, explanations):
    """The limits are those of the resource, the agent and the consent."""
    chains.consent(bot, "bank:read")
    chains.exchange(bot, chains.user_token(), scope="bank:write")
    bounds = {bound.source: bound.scope for bound in explanations.exchange(None).bounds}
    assert bounds == {
        "the resource": ("bank:close", "bank:read", "bank:write"),
        "desk-bot": ("bank:close", "bank:read", "bank:write"),
        "the consent to desk-bot": ("bank:read",),
    }


def test_an_explanation_lists_the_limits_of_an_approval(chains, agent, person, explanations):
    """The limits are those of the resource, of each actor and of the token."""
    handle, approval = agent.request_approval()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=("payments:transfer",))
    chains.exchange(payer, token, resource=PAY, scope="payments:transfer")
    explanation = explanations.exchange(None)
    assert explanation.reason is Reason.SCOPE_BEYOND
    assert {bound.source: bound.scope for bound in explanation.bounds} == {
        "the resource": ("payments:read", "payments:transfer"),
        "payer": ("payments:transfer",),
        "invoice-bot": ("payments:read", "payments:transfer"),
        "a token for the resource": ("payments:read",),
    }


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"subject_token": "x.y.z"}, Reason.SUBJECT_INVALID),
        ({"scope": None}, Reason.MALFORMED),
    ],
)
def test_an_unreadable_request_cannot_be_replayed(chains, bot, explanations, parameters, reason):
    """Invalid tokens and requests are not stored; the explanation still names the step."""
    chains.exchange(bot, "", **{"subject_token": chains.user_token(), **parameters})
    explanation = explanations.exchange(None)
    assert (explanation.reason, explanation.replayed, explanation.current_reason) == (
        reason,
        False,
        None,
    )
    assert (explanation.chain, explanation.bounds, explanation.user) == ((), (), None)


def test_a_replay_with_details_always_needs_a_person(chains, bot, explanations):
    """Only the types of details are stored, so an approval cannot be checked against them."""
    _update(chains, resources=(PAY,), scopes=("payments:read",))
    chains.consent(bot, "payments:read", resource=PAY)
    details = json.dumps(PAYMENT_DETAILS)
    parameters = {"resource": PAY, "scope": "payments:read", "authorization_details": details}
    chains.exchange(bot, chains.user_token(), **parameters)
    explanation = explanations.exchange(None)
    assert (explanation.original_request.types, explanation.current_reason) == (
        ("payment.transfer",),
        Reason.NEEDS_PERSON,
    )
    assert "Nordwind" not in explanation.entry.body.decode()


def test_a_disabled_or_deleted_agent_is_still_refused_in_a_replay(chains, bot, explanations):
    """For a disabled agent, that is the reason today; for a deleted one, nothing is replayed."""
    chains.exchange(bot, chains.user_token())
    chains.local.admin.agents.disable("desk-bot", by=BY)
    assert explanations.exchange(None).current_reason is Reason.ACTOR_DISABLED
    chains.local.admin.agents.delete("desk-bot", by=BY)
    explanation = explanations.exchange(None)
    assert (explanation.agent, explanation.replayed, explanation.bounds) == (bot.id, False, ())


def test_a_valid_token_is_explained_without_problems(chains, explanations):
    """The explanation has the claims and the row; other tokens are invalid or unknown."""
    token = chains.user_token()
    inspection = explanations.token(token)
    assert (inspection.claims["aud"], inspection.row.client_name, inspection.problems) == (
        DESK,
        "chat",
        (),
    )
    with pytest.raises(Invalid):
        explanations.token("x.y.z")
    unknown = replace(chains.row(token), id="sayso_at_unknown")
    assert explanations.token(chains.sign(unknown)).problems == ("this server has no record of it",)


def test_all_problems_of_a_token_are_listed(chains, bot, explanations):
    """The list contains every problem, not only the first."""
    chains.consent(bot, "bank:read")
    token = chains.user_token()
    exchanged = chains.exchanged(bot, token)
    chains.local.admin.resources.delete(BANK, by=BY)
    expected = ("it was revoked", "its resource was deleted")
    assert explanations.token(exchanged).problems == expected
    with chains.local.services.store.administer() as tx:
        tx.apps.replace(replace(tx.directory.app(APP), state="disabled"))
    chains.local.admin.users.disable("ana", by=BY)
    chains.local.clock.forward(31 * MINUTE)
    assert explanations.token(exchanged).problems == (
        "it was revoked",
        "it has expired",
        "its user is not enabled",
        "an agent or app in its chain is not enabled",
        "its resource was deleted",
    )
    userinfo_token = chains.user_token(resource=f"{ISSUER}/userinfo")
    assert "its resource was deleted" not in explanations.token(userinfo_token).problems
