"""Signed requests: which are read, which keys count, and that each is good for once."""

import json
from dataclasses import replace

import pytest

from server.protocol import errors
from server.protocol.forms import Form
from server.services.clients.agent_forms import AgentChanges
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER
from tests.support.inputs.handmade_jwts import new_key, request_claims

KEY, OTHER = new_key("ES256", "a"), new_key("EdDSA", "b")


@pytest.fixture
def signing(agent, local):
    """The agent with two keys, of which it must use the first."""
    keys = json.dumps({"keys": [KEY.jwk, OTHER.jwk]})
    local.desk.agents.update(agent.id, AgentChanges(jwks=keys, request_alg="ES256"), by=BY)
    return agent


def _signed(agent, local, key=KEY, **changes):
    asked = {"scope": "openid payments:read", "resource": PAY, "login_hint": "ana", **changes}
    return key.sign(request_claims(agent.id, ISSUER, local.clock.now(), **asked))


def _ask(agent, request):
    return agent.local.post_form("/bc-authorize", {"request": request, **agent.credentials})


def test_a_signed_request_asks_what_was_signed(signing, local):
    """The approval is that of its claims."""
    answer = _ask(signing, _signed(signing, local, requested_expiry=60))
    assert (answer.status, answer.json["expires_in"]) == (200, 60)
    assert local.behind(answer.json["auth_req_id"]).scope == "payments:read"


def test_it_counts_once(signing, local):
    """The same bytes again ask nobody; another id does."""
    once = _signed(signing, local)
    assert [_ask(signing, once).status for _ in range(2)] == [200, 400]
    assert _ask(signing, _signed(signing, local)).status == 200


def test_a_signed_request_uses_its_key(signing, local):
    """Whoever looks at the agent sees which key still signs; what was refused used none."""
    assert _ask(signing, _signed(signing, local, scope="openid nowhere:read")).status == 400
    assert local.desk.agents.show(signing.id)[0].key_uses == {}
    assert _ask(signing, _signed(signing, local)).status == 200
    assert local.desk.agents.show(signing.id)[0].key_uses == {"a": local.clock.now()}


def test_one_that_was_refused_may_be_sent_again(signing, local):
    """Nothing is stored of a request that breaks a rule, its id neither."""
    unknown = _signed(signing, local, scope="openid nowhere:read", jti="x")
    assert _ask(signing, unknown).refusal == (400, "invalid_scope")
    assert _ask(signing, _signed(signing, local, jti="x")).status == 200


@pytest.mark.parametrize("key", [OTHER, new_key("ES256", "a"), new_key("ES256", "c")])
def test_another_key_or_algorithm_does_not_count(signing, local, key):
    """Only a registered key, and of those only the ones of the registered algorithm."""
    assert _ask(signing, _signed(signing, local, key)).refusal == (400, "invalid_request")


def test_who_must_sign_may_not_ask_plainly(signing, agent, local):
    """Until the duty is taken away again; then both ways are open."""
    assert agent.ask().refusal == (400, "invalid_request")
    local.desk.agents.update(agent.id, AgentChanges(request_alg=""), by=BY)
    assert agent.ask().status == 200
    assert _ask(signing, _signed(signing, local, OTHER)).status == 200


def test_what_was_read_by_an_older_registration_is_asked_again(signing, local):
    """Nothing is decided from what was true before the unit of work."""
    with local.services.store.read() as view:
        agent = view.directory.agent(signing.id)
    older = replace(agent, jwks=(KEY.jwk,))
    form = Form({"request": (_signed(signing, local),)})
    with pytest.raises(errors.InvalidRequest, match="has changed"):
        local.site.ciba.requests.start(older, form, idempotency_key=None, peer="here")
