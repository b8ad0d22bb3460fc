"""Amounts need a currency code that rules can match."""

import json

import pytest

from server.protocol import errors
from server.protocol.policy import action_types
from server.services.policy.policies import Policies
from server.services.policy.schemas import check_unregistered
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains
from tests.support.clients.agent import PAYMENT_DETAILS

ODD = ["eur", "E€R", "EU1", "EU\uff32", "Eur"]
MONEY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["minor", "currency"],
    "properties": {
        "minor": {"type": "integer"},
        "currency": {"type": "string", "minLength": 3, "maxLength": 3},
    },
}
OPEN = {
    **PAYMENT,
    "schema": {
        **PAYMENT["schema"],
        "properties": {**PAYMENT["schema"]["properties"], "amount": MONEY},
    },
}
"""A payment type that accepts any three letters."""
REFUSED = (400, "invalid_authorization_details")


@pytest.fixture
def any_currency(local):
    """The action type accepts any three letters as the currency."""
    local.admin.actions.update(json.dumps(OPEN), by=BY)


def _details_with_currency(currency):
    amount = {"minor": 100_000_000, "currency": currency}
    return json.dumps([{**PAYMENT_DETAILS[0], "amount": amount}], ensure_ascii=False)


@pytest.mark.usefixtures("any_currency")
@pytest.mark.parametrize("currency", ODD)
def test_a_request_with_an_invalid_currency_is_refused(local, agent, currency):
    """A rule about EUR cannot be bypassed with a look-alike currency code."""
    limit = 'when.amount = { currency = "EUR", over = 1000 }'
    Policies(local.services.store).set(rule("deny", limit), by=BY)
    parameters = {"scope": "openid payments:transfer", "resource": PAY}
    assert (
        agent.ask(**parameters, authorization_details=_details_with_currency("EUR")).status == 403
    )
    refused = agent.ask(**parameters, authorization_details=_details_with_currency(currency))
    assert refused.refusal == REFUSED
    assert refused.json["error_description"] == (
        "/0 has an invalid currency. Use three capital letters such as EUR."
    )
    assert local.admin.entries("approval.requested") == []


@pytest.mark.usefixtures("any_currency")
@pytest.mark.parametrize("currency", ODD)
def test_an_exchange_with_an_invalid_currency_is_refused(local, person, currency):
    """A token exchange checks currencies like a request does."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    bot = chains.agent("bot", resources=(PAY, BANK), scopes=("payments:read",))
    parameters = {
        "resource": PAY,
        "scope": "payments:read",
        "authorization_details": _details_with_currency(currency),
    }
    assert chains.exchange(bot, chains.user_token(), **parameters).refusal == REFUSED


@pytest.mark.parametrize("currency", ODD)
def test_a_preview_with_an_invalid_currency_is_refused(currency):
    """A preview checks the currency even if the type is not registered yet."""
    action = action_types.read_action_type(OPEN)
    (detail,) = json.loads(_details_with_currency(currency))
    with pytest.raises(errors.InvalidAuthorizationDetails, match="three capital letters"):
        check_unregistered(action, detail)
