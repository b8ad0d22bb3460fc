"""Changing how an agent authenticates: which credentials are valid during and after the overlap."""

import json

import pytest

from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.services.clients.agent_auth import AgentAuth, AuthChange
from server.services.clients.agent_forms import AgentChanges
from server.services.refusals import Conflict, Invalid
from tests.support.builders.clock import HOUR
from tests.support.builders.installation import BY, register_agent
from tests.support.builders.site import ISSUER
from tests.support.inputs.handmade_jwts import assertion_claims, assertion_form, new_key

FAILED = (401, "invalid_client")
KEY = new_key("ES256", "a")
JWKS = json.dumps({"keys": [KEY.jwk]})
BY_KEY = "private_key_jwt"


@pytest.fixture
def auth(local):
    """The service that changes authentication methods."""
    return AgentAuth(local.admin.store, local.admin.secrets)


def _token(local, credentials):
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", **credentials}
    return local.post_form("/token", form)


def _by_key(local, agent_id):
    claims = assertion_claims(agent_id, ISSUER, local.clock.now())
    return _token(local, assertion_form(KEY.sign(claims)))


def _by_secret(local, agent_id, secret):
    return _token(local, {"client_id": agent_id, "client_secret": secret})


def test_changing_from_a_secret_to_keys_accepts_both_during_the_overlap(local, agent, auth):
    """After the overlap, the old secret is refused."""
    changed = auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, HOUR), by=BY)
    assert (changed.secret, changed.agent.auth_method) == ("", BY_KEY)
    local.clock.forward(HOUR - 1)
    assert _by_key(local, agent.id).status == 200
    assert _token(local, agent.credentials).status == 200
    local.clock.forward(1)
    assert _token(local, agent.credentials).refusal == FAILED
    assert _by_key(local, agent.id).status == 200


def test_without_an_overlap_the_old_method_ends_immediately(local, agent, auth):
    """Without an overlap, the old secrets are deleted and refused immediately."""
    changed = auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, 0), by=BY)
    assert (changed.agent.secrets, changed.agent.auth_before_until) == ((), None)
    assert _token(local, agent.credentials).refusal == FAILED


def test_changing_from_keys_to_a_secret_returns_a_new_secret_once(local, auth):
    """The keys authenticate until the overlap ends; they are kept for signed requests."""
    signer = register_agent(local.admin, "signer", auth_method=BY_KEY, jwks=JWKS).agent
    changed = auth.change("signer", AuthChange("client_secret_post", "", HOUR), by=BY)
    assert _by_secret(local, signer.id, changed.secret).status == 200
    assert _by_key(local, signer.id).status == 200
    local.clock.forward(HOUR)
    assert _by_key(local, signer.id).refusal == FAILED
    assert _by_secret(local, signer.id, changed.secret).status == 200
    assert len(changed.agent.jwks) == 1


def test_changing_between_secret_methods_keeps_the_secret(local, agent, auth):
    """No new secret is created, and the old secret keeps working."""
    before = local.admin.agents.show("invoice-bot")[0]
    changed = auth.change("invoice-bot", AuthChange("client_secret_basic"), by=BY)
    assert (changed.secret, changed.agent.secrets) == ("", before.secrets)
    assert _token(local, agent.credentials).status == 200


def test_changing_back_during_the_overlap_creates_a_new_secret(local, agent, auth):
    """The old secret still ends with its overlap; both secrets are accepted until then."""
    auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, HOUR), by=BY)
    changed = auth.change("invoice-bot", AuthChange("client_secret_post"), by=BY)
    assert changed.secret
    assert _token(local, agent.credentials).status == 200
    local.clock.forward(HOUR)
    assert _token(local, agent.credentials).refusal == FAILED
    assert _by_secret(local, agent.id, changed.secret).status == 200


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("auth_change", "error", "member"),
    [
        (AuthChange(BY_KEY), Invalid, "jwks"),
        (AuthChange(BY_KEY, '{"keys": []}'), Invalid, "jwks"),
        (AuthChange("client_secret_basic", JWKS), Invalid, "jwks"),
        (AuthChange("tls_client_auth"), Invalid, "method"),
        (AuthChange("client_secret_post"), Conflict, ""),
        (AuthChange("client_secret_basic", "", 31 * 24 * HOUR), Invalid, "overlap"),
    ],
)
def test_an_invalid_change_of_method_is_refused_and_changes_nothing(
    local, auth, auth_change, error, member
):
    """Missing or invalid keys, an unknown method and too long an overlap are refused."""
    before = local.admin.agents.show("invoice-bot")[0]
    with pytest.raises(error) as refused:
        auth.change("invoice-bot", auth_change, by=BY)
    assert (refused.value.member or "") == member
    assert local.admin.agents.show("invoice-bot")[0] == before
    assert local.admin.entries("agent.auth_changed") == []


def test_an_agent_that_must_sign_requests_keeps_a_key_for_it(local, agent, auth):
    """New keys replace all keys, so a change without the signing key is refused."""
    other_jwks = json.dumps({"keys": [new_key("EdDSA", "b").jwk]})
    local.admin.agents.update(agent.id, AgentChanges(jwks=JWKS, request_alg="ES256"), by=BY)
    with pytest.raises(Invalid, match="no ES256 key"):
        auth.change("invoice-bot", AuthChange(BY_KEY, other_jwks), by=BY)
    assert auth.change("invoice-bot", AuthChange(BY_KEY), by=BY).agent.jwks[0]["kid"] == "a"


def test_the_audit_entry_names_the_old_method_and_its_end(local, agent, auth):
    """The entry has both methods; the change also ends the agent's standing grants."""
    standing_grant = local.admin.standing_grant(
        local.admin.approval(agent.id, local.admin.users.all()[0].id)
    )
    auth.change("invoice-bot", AuthChange(BY_KEY, JWKS, HOUR), by=BY)
    (entry,) = local.admin.entries("agent.auth_changed")
    assert entry["facts"] == {
        "was": "client_secret_post",
        "method": BY_KEY,
        "was_until": local.clock.now() + HOUR,
        "keys": ["a"],
    }
    with local.services.store.read() as view:
        ended = view.standing_grants.get(standing_grant.id)
    assert ended.ended_because == "key_rotated"
