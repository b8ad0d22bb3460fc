"""Signed requests: which ones are accepted, which keys count, and that each is used once."""

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
    """The agent with two keys; it must sign requests with the algorithm of the first."""
    keys = json.dumps({"keys": [KEY.jwk, OTHER.jwk]})
    local.admin.agents.update(agent.id, AgentChanges(jwks=keys, request_alg="ES256"), by=BY)
    return agent


def _sign_request(agent, local, key=KEY, **changes):
    parameters = {"scope": "openid payments:read", "resource": PAY, "login_hint": "ana", **changes}
    return key.sign(request_claims(agent.id, ISSUER, local.clock.now(), **parameters))


def _ask(agent, request):
    return agent.local.post_form("/bc-authorize", {"request": request, **agent.credentials})


def test_the_approval_is_created_from_the_signed_claims(signing, local):
    """The expiry and the scope are those that the agent signed."""
    answer = _ask(signing, _sign_request(signing, local, requested_expiry=60))
    assert (answer.status, answer.json["expires_in"]) == (200, 60)
    assert local.approval_for(answer.json["auth_req_id"]).scope == "payments:read"


def test_a_signed_request_is_used_once(signing, local):
    """The same bytes are refused the second time; a different jti is accepted."""
    request = _sign_request(signing, local)
    assert [_ask(signing, request).status for _ in range(2)] == [200, 400]
    assert _ask(signing, _sign_request(signing, local)).status == 200


def test_a_signed_request_records_the_use_of_its_key(signing, local):
    """The use of a key is not recorded if the request is refused."""
    assert _ask(signing, _sign_request(signing, local, scope="openid nowhere:read")).status == 400
    assert local.admin.agents.show(signing.id)[0].key_uses == {}
    assert _ask(signing, _sign_request(signing, local)).status == 200
    assert local.admin.agents.show(signing.id)[0].key_uses == {"a": local.clock.now()}


def test_a_refused_signed_request_may_be_sent_again(signing, local):
    """The server stores neither the refused request nor its jti."""
    unknown = _sign_request(signing, local, scope="openid nowhere:read", jti="x")
    assert _ask(signing, unknown).refusal == (400, "invalid_scope")
    assert _ask(signing, _sign_request(signing, local, jti="x")).status == 200


@pytest.mark.parametrize("key", [OTHER, new_key("ES256", "a"), new_key("ES256", "c")])
def test_a_signature_by_another_key_or_algorithm_is_refused(signing, local, key):
    """Only a registered key of the registered algorithm counts."""
    assert _ask(signing, _sign_request(signing, local, key)).refusal == (400, "invalid_request")


def test_an_agent_that_must_sign_cannot_send_plain_requests(signing, agent, local):
    """When the requirement is removed, both signed and plain requests are accepted."""
    assert agent.ask().refusal == (400, "invalid_request")
    local.admin.agents.update(agent.id, AgentChanges(request_alg=""), by=BY)
    assert agent.ask().status == 200
    assert _ask(signing, _sign_request(signing, local, OTHER)).status == 200


def test_a_registration_changed_during_the_request_is_refused(signing, local):
    """A request parsed with an older registration is not accepted."""
    with local.services.store.read() as view:
        agent = view.directory.agent(signing.id)
    older = replace(agent, jwks=(KEY.jwk,))
    form = Form({"request": (_sign_request(signing, local),)})
    with pytest.raises(errors.InvalidRequest, match="has changed"):
        local.site.ciba.requests.start(older, form, idempotency_key=None, peer="here")
